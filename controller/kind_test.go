// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"testing"
	"testing/synctest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
)

// TestC30AnOwnerOfAnotherGroupIsAnotherKind where the controller's group is stated.
func TestC30AnOwnerOfAnotherGroupIsAnotherKind(t *testing.T) {
	core := schema.GroupKind{Kind: "ConfigMap"}
	for name, test := range map[string]struct {
		owner string // its apiVersion
		kind  *schema.GroupKind
		wakes bool
	}{
		"the stated group":           {"v1", &core, true},
		"another group":              {"other.example.com/v1", &core, false},
		"another version":            {"v2", &core, true},
		"a kind unlike the Go type":  {"example.com/v1", &schema.GroupKind{Group: "example.com", Kind: "Settings"}, false},
		"no group stated":            {"v1", nil, true},
		"no group stated, any group": {"other.example.com/v1", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, others := newWorld(t), newWorld(t)
				w.add("web")
				m := newManager(controller.ManagerOptions{})
				var options []controller.SourceOption[*configMapType]
				if test.kind != nil {
					options = append(options, controller.WithKind[*configMapType](*test.kind))
				}
				c := controller.New(m, "c", w.informer(), nothing, controller.Options{}, options...)
				controller.Owns(c, others.informer())
				start(t, t.Context(), m)
				synctest.Wait()
				before := c.Stats().Done
				owned := configMap("owned")
				owned.OwnerReferences = []metav1.OwnerReference{{
					APIVersion: test.owner, Kind: "ConfigMap", Name: "web", Controller: ptr.To(true),
				}}
				others.Add(owned)
				synctest.Wait()
				if woken := c.Stats().Done > before; woken != test.wakes {
					t.Errorf("the owner was woken: %v", woken)
				}
			})
		})
	}
}

// TestC9AReserveAfterTheShutdownIsNeverAlive is case 32: a write on it would reach the server after the end.
func TestC9AReserveAfterTheShutdownIsNeverAlive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		names := make([]string, 50)
		for i := range names {
			names[i] = string(rune('a'+i%26)) + string(rune('a'+i/26))
		}
		w.add(names...)
		m := newManager(controller.ManagerOptions{})
		alive := make(chan error, len(names))
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *configMapType) (controller.Result, error) {
			<-ctx.Done()
			reserve, cancel := controller.ReserveContext(ctx)
			defer cancel()
			alive <- reserve.Err()
			return controller.Result{}, ctx.Err()
		}, controller.Options{Workers: len(names)})
		r := start(t, t.Context(), m)
		synctest.Wait()
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		close(alive)
		n := 0
		for err := range alive {
			n++
			if err == nil {
				t.Error("the reserve of a cancelled item is alive")
			}
		}
		if n != len(names) {
			t.Errorf("%d were cancelled", n)
		}
	})
}
