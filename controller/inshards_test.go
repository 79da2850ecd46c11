// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
)

// sharing is a replica whose caches hold its share.
type sharing struct {
	*virtualtest.Running
	objects cache.Indexer
}

// namespaces returns the namespaces of which the replica has objects, sorted.
func (s *sharing) namespaces() (all []string) {
	synctest.Wait()
	for _, key := range s.objects.ListKeys() {
		namespace, _, _ := cache.SplitMetaNamespaceKey(key)
		all = append(all, namespace)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (h *hands) sharing(api *virtualtest.API, identity string) *sharing {
	s := &sharing{}
	s.Running = virtualtest.Start(h.t, api, func(m *controller.Manager) error {
		client := kubernetes.NewForConfigOrDie(m.Config())
		informer := controller.InShards(m, controller.InformerOptions{}, func(namespace string) cache.TypedSharedIndexInformer[*corev1.ConfigMap] {
			return coreinformers.NewTypedConfigMapInformer(client, namespace, 0, nil)
		})
		s.objects = informer.GetIndexer()
		controller.New(m, "c", informer, func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			return controller.Result{}, h.reconcile(ctx, identity, client, cm)
		}, controller.Options{Sharded: true, Workers: 4})
		return nil
	}, func(o *controller.ManagerOptions) {
		o.Sharding = &controller.Sharding{Namespace: "ns", Name: "shop", Identity: identity}
	})
	return s
}

func TestC31TheCachesOfAReplicaHoldItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := virtualtest.NewAPI(t)
		const namespaces = 30
		create := func(namespace string) {
			api.Create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
			api.Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "cm"}})
		}
		for i := range namespaces {
			create(fmt.Sprintf("team-%02d", i))
		}
		h := newHands(t, 10*time.Millisecond)
		a := h.sharing(api, "a")
		time.Sleep(5 * time.Second)
		if n := len(a.namespaces()); n != namespaces || len(h.lasts()) != namespaces {
			t.Errorf("the only replica has %d namespaces, and %d objects were reconciled", n, len(h.lasts()))
		}
		b := h.sharing(api, "b")
		time.Sleep(10 * time.Second)
		create("new")
		time.Sleep(time.Second)
		disjoint := func(want int) {
			t.Helper()
			ofA, ofB := a.namespaces(), b.namespaces()
			if len(ofA)+len(ofB) != want || len(ofA) < 5 || len(ofB) < 5 {
				t.Errorf("the replicas have %d and %d of %d namespaces: %q and %q", len(ofA), len(ofB), want, ofA, ofB)
			}
			for key, by := range h.lasts() {
				if slices.Contains(ofA, key.Namespace) != (by == "a") {
					t.Errorf("%s was last reconciled by %s, and the caches of a have %q", key, by, ofA)
				}
			}
		}
		disjoint(namespaces + 1)
		shared(t, 64, a.Running, b.Running)
		_ = b.Stop(nil)
		time.Sleep(time.Second)
		if n := len(a.namespaces()); n != namespaces+1 {
			t.Errorf("after the end of the other, a has %d namespaces", n)
		}
		for key, by := range h.lasts() {
			if by != "a" {
				t.Errorf("nobody took %s over from %s", key, by)
			}
		}
	})
}

// TestC31AReplicaThatJoinsHasItsCachesBeforeItTakesSlots: no object waits for a list.
func TestC31AReplicaThatJoinsHasItsCachesBeforeItTakesSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := virtualtest.NewAPI(t)
		for i := range 10 {
			api.Create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("n", i)}})
			api.Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: fmt.Sprint("n", i), Name: "cm"}})
		}
		h := newHands(t, 10*time.Millisecond)
		a := h.sharing(api, "a")
		time.Sleep(5 * time.Second)
		api.Delay(3*time.Second, func(call virtualtest.Call) bool { return call.Resource == "configmaps" && !call.Writes() })
		b := h.sharing(api, "b")
		time.Sleep(2 * time.Second)
		if share := shared(t, 64, a.Running, b.Running); share[1] != 0 {
			t.Errorf("b took %d slots before its caches were full", share[1])
		}
		time.Sleep(5 * time.Second)
		if share := shared(t, 64, a.Running, b.Running); share[1] == 0 || len(a.namespaces())+len(b.namespaces()) != 10 {
			t.Errorf("the slots: %d, the namespaces: %q and %q", share, a.namespaces(), b.namespaces())
		}
	})
}
