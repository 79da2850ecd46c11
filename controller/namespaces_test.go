// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corev1listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// worlds is one world for each namespace.
type worlds struct {
	*testing.T
	of map[string]*world
}

func (w *worlds) informer(namespace string) cache.TypedSharedIndexInformer[*corev1.ConfigMap] {
	one := newWorld(w.T)
	one.Add(in(namespace, "a"))
	w.of[namespace] = one
	return one.informer()
}

func in(namespace, name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

func TestOneControllerWorksInAListOfNamespacesThatChanges(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := &worlds{t, map[string]*world{}}
		namespaces := controller.NewNamespaces("blue", "green")
		informer := controller.InNamespaces(namespaces, controller.InformerOptions{}, all.informer)
		lister := corev1listers.NewConfigMapLister(informer.GetIndexer())
		m := newManager(controller.ManagerOptions{})
		var reconciled []string
		c := controller.New(m, "c", informer, func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			reconciled = append(reconciled, cm.Namespace)
			_, err := lister.ConfigMaps(cm.Namespace).Get(cm.Name)
			return controller.Result{}, err
		}, controller.Options{
			OnDeleted: func(_ context.Context, request controller.Request) (controller.Result, error) {
				reconciled = append(reconciled, "deleted in "+request.Namespace)
				return controller.Result{}, nil
			},
		})
		expect := func(want ...string) {
			t.Helper()
			synctest.Wait()
			slices.Sort(reconciled)
			if !slices.Equal(reconciled, want) {
				t.Errorf("reconciled %q, want %q", reconciled, want)
			}
			reconciled = nil
		}
		r := start(t, t.Context(), m)
		expect("blue", "green")

		green := all.of["green"]
		namespaces.Set("blue", "red")
		green.Add(in("green", "late")) // nobody listens
		all.of["blue"].Delete(in("blue", "a"))
		c.Enqueue(t.Context(), "test", controller.Request{Namespace: "green", Name: "a"}) // lives, but not here
		expect("deleted in blue", "red")
		if found, err := lister.List(labels.Everything()); err != nil || len(found) != 1 || found[0].Namespace != "red" {
			t.Errorf("the lister has %v, %v", found, err)
		}
		if got := namespaces.List(); !slices.Equal(got, []string{"blue", "red"}) {
			t.Errorf("the set is %q", got)
		}

		namespaces.Set("green")
		expect("green")
		if c.Stats().Failures() != 0 {
			t.Errorf("%+v", c.Stats())
		}
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
	})
}

func TestAListerReadsAListOfNamespacesThatChanges(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := &worlds{t, map[string]*world{}}
		namespaces := controller.NewNamespaces("blue", "green")
		informer := controller.InNamespaces(namespaces, controller.InformerOptions{}, all.informer)
		lister := corev1listers.NewConfigMapLister(informer.GetIndexer())
		m := newManager(controller.ManagerOptions{})
		added := m.AddInformer(informer, controller.InformerOptions{})
		start(t, t.Context(), m)
		synctest.Wait()
		found := func() (names []string) {
			all, err := lister.List(labels.Everything())
			if err != nil {
				t.Error(err)
			}
			for _, cm := range all {
				names = append(names, cm.Namespace)
			}
			slices.Sort(names)
			return names
		}
		if got := found(); !slices.Equal(got, []string{"blue", "green"}) || !informer.HasSynced() {
			t.Errorf("found %q", got)
		}
		namespaces.Set("red")
		synctest.Wait()
		if got := found(); !slices.Equal(got, []string{"red"}) || m.Known() != 2 { // its cache and its runner
			t.Errorf("found %q, %d informers", got, m.Known())
		}
		added.Stop()
		added.Stop()
		synctest.Wait()
		if m.Known() != 0 {
			t.Errorf("%d informers are left", m.Known())
		}
	})
}

func TestC29ANamespaceThatIsGoneCancelsExactlyItsItems(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := &worlds{t, map[string]*world{}}
		namespaces := controller.NewNamespaces("blue", "green")
		m := newManager(controller.ManagerOptions{})
		ended := map[string]error{}
		controller.New(m, "c", controller.InNamespaces(namespaces, controller.InformerOptions{}, all.informer),
			func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
				<-ctx.Done()
				ended[cm.Namespace] = context.Cause(ctx)
				return controller.Result{}, ctx.Err()
			}, controller.Options{Workers: 2})
		r := start(t, t.Context(), m)
		synctest.Wait()
		namespaces.Set("blue")
		synctest.Wait()
		if !errors.Is(ended["green"], cause.Stopped) || ended["blue"] != nil {
			t.Errorf("ended: %v", ended)
		}
		if err := r.end(nil); err != nil || !errors.Is(ended["blue"], cause.Shutdown) {
			t.Errorf("Run returned %v, ended: %v", err, ended)
		}
	})
}

// TestC28AnObjectOfASecondInformerIsNotReportedAsDeleted: Watches with an informer of the reconciled
// kind for another namespace.
func TestC28AnObjectOfASecondInformerIsNotReportedAsDeleted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		first, second := newWorld(t), newWorld(t)
		first.Add(in("blue", "a"))
		second.Add(in("green", "a"))
		m := newManager(controller.ManagerOptions{})
		var reconciled []string
		c := controller.New(m, "c", first.informer(), func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			reconciled = append(reconciled, cm.Namespace)
			return controller.Result{}, nil
		}, controller.Options{
			OnDeleted: func(_ context.Context, request controller.Request) (controller.Result, error) {
				reconciled = append(reconciled, "deleted in "+request.Namespace)
				return controller.Result{}, nil
			},
		})
		controller.Watches(c, second.informer(), func(_ context.Context, cm *corev1.ConfigMap) []controller.Request {
			return []controller.Request{{Namespace: cm.Namespace, Name: cm.Name}}
		})
		start(t, t.Context(), m)
		synctest.Wait()
		second.Delete(in("green", "a"))
		synctest.Wait()
		slices.Sort(reconciled)
		if want := []string{"blue", "deleted in green", "green"}; !slices.Equal(reconciled, want) {
			t.Errorf("reconciled %q, want %q", reconciled, want)
		}
	})
}

// TestC28TheCacheOfASourceThatWasStoppedIsNotReconciledFrom: its objects are not kept, nor taken for live.
func TestC28TheCacheOfASourceThatWasStoppedIsNotReconciledFrom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		first, second, s := newWorld(t), newWorld(t), &seen{}
		second.Add(in("green", "a"))
		m := newManager(controller.ManagerOptions{})
		c := controller.New(m, "c", first.informer(), s.reconcile, controller.Options{})
		source := controller.Watches(c, second.informer(), func(_ context.Context, cm *corev1.ConfigMap) []controller.Request {
			return []controller.Request{{Namespace: cm.Namespace, Name: cm.Name}}
		})
		start(t, t.Context(), m)
		synctest.Wait()
		source.Stop()
		c.Enqueue(t.Context(), "test", controller.Request{Namespace: "green", Name: "a"})
		synctest.Wait()
		if n := s.count("a"); n != 1 {
			t.Errorf("reconciled %d times, want once, while the source was there", n)
		}
	})
}
