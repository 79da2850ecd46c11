// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	metadatafake "k8s.io/client-go/metadata/fake"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
)

// TestC30AnOwnerIsOfAGroupAndAKind, in whichever version.
func TestC30AnOwnerIsOfAGroupAndAKind(t *testing.T) {
	for name, test := range map[string]struct {
		owner string            // its apiVersion
		kind  *schema.GroupKind // that was stated
		wakes bool
	}{
		"the kind of the Go type":       {"v1", nil, true},
		"the same kind, another group":  {"other.example.com/v1", nil, false},
		"another version":               {"v2", nil, true},
		"the stated group":              {"example.com/v1", &schema.GroupKind{Group: "example.com", Kind: "ConfigMap"}, true},
		"another group than the stated": {"v1", &schema.GroupKind{Group: "example.com", Kind: "ConfigMap"}, false},
		"a kind unlike the Go type":     {"example.com/v1", &schema.GroupKind{Group: "example.com", Kind: "Settings"}, false},
		"no group at all":               {"a/b/c", nil, false},
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

// gadgets is a kind without Go types.
func gadgets() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "gadgets"}
}

func gadget(name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion("example.com/v1")
	u.SetKind("Gadget")
	u.SetNamespace("default")
	u.SetName(name)
	return u
}

// TestC30UnstructuredObjectsAndMetadataOwnAndAreOwned: a Gadget, which has no Go type, owns a
// ConfigMap, of which only the metadata is cached; and the other way round.
func TestC30UnstructuredObjectsAndMetadataOwnAndAreOwned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		kind := schema.GroupKind{Group: "example.com", Kind: "Gadget"}
		dynamics := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
			map[schema.GroupVersionResource]string{gadgets(): "GadgetList"}, gadget("web"))
		owned := &metav1.PartialObjectMetadata{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "example.com/v1", Kind: "Gadget", Name: "web", Controller: ptr.To(true),
			}}},
		}
		scheme := metadatafake.NewTestScheme()
		if err := metav1.AddMetaToScheme(scheme); err != nil {
			t.Fatal(err)
		}
		metadatas := metadatafake.NewSimpleMetadataClient(scheme, owned)
		maps := schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

		m := newManager(controller.ManagerOptions{})
		var reasons []string
		informer := controller.Standalone[*unstructured.Unstructured](
			dynamicinformer.NewFilteredDynamicInformer(dynamics, gadgets(), "", 0, cache.Indexers{}, nil).Informer(),
			controller.InformerOptions{Kind: kind})
		c := controller.New(m, "gadget", informer, func(_ context.Context, u *unstructured.Unstructured) (controller.Result, error) {
			reasons = append(reasons, u.GetKind()+" "+u.GetName())
			return controller.Result{}, nil
		}, controller.Options{})
		controller.Owns(c, controller.Standalone[*metav1.PartialObjectMetadata](
			metadatainformer.NewFilteredMetadataInformer(metadatas, maps, "", 0, cache.Indexers{}, nil).Informer(),
			controller.InformerOptions{Kind: schema.GroupKind{Kind: "ConfigMap"}}))
		start(t, t.Context(), m)
		synctest.Wait()
		before := len(reasons)
		if err := metadatas.Resource(maps).Namespace("default").Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(reasons) != before+1 || reasons[before] != "Gadget web" {
			t.Errorf("reconciled %q, then %q", reasons[:before], reasons[before:])
		}
	})
}

func TestC30AKindThatCannotBeKnownIsRefusedWithWhatToWrite(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		dynamics := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
			map[schema.GroupVersionResource]string{gadgets(): "GadgetList"})
		untyped := dynamicinformer.NewFilteredDynamicInformer(dynamics, gadgets(), "", 0, cache.Indexers{}, nil).Informer()
		unknown := controller.Standalone[*unstructured.Unstructured](untyped, controller.InformerOptions{})
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "main", unknown, func(context.Context, *unstructured.Unstructured) (controller.Result, error) {
			return controller.Result{}, nil
		}, controller.Options{})
		controller.Owns(controller.New(m, "owns", w.informer(), nothing, controller.Options{}), unknown)
		m.AddInformer(untyped, controller.InformerOptions{})
		shared := w.informer()
		c := controller.New(m, "two kinds", shared, nothing, controller.Options{})
		controller.Owns(c, shared, controller.WithKind[*configMapType](schema.GroupKind{Kind: "Secret"}))
		err := m.Run(t.Context())
		for _, want := range []string{"informer of ConfigMap was added already, and has no Secret", `controller "main"`, `controller "owns"`, "AddInformer", "InformerOptions.Kind"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Run returned %v, want %q in it", err, want)
			}
		}
	})
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
