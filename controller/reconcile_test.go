// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/lanyard-k8s/lanyard/controller"
)

func TestC11APanicEndsTheItemAndNotTheProcess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("bad", "good")
		m := newManager(controller.ManagerOptions{})
		var good, bad atomic.Int32
		c := controller.New(m, "c", w.informer(), func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			if cm.Name == "bad" && bad.Add(1) <= 2 {
				panic("out of cheese")
			}
			good.Add(1)
			return controller.Result{}, nil
		}, controller.Options{})
		r := start(t, t.Context(), m)
		time.Sleep(time.Second)
		if good.Load() != 2 || c.Stats().Panicked != 2 || c.Stats().Failures() != 2 {
			t.Errorf("%d reconciled, counted %+v", good.Load(), c.Stats())
		}
		for _, want := range []string{"panic: out of cheese", "reconcile_test.go", "object.name=bad object.namespace=default"} {
			if !strings.Contains(r.log.String(), want) {
				t.Errorf("the log does not have %q:\n%s", want, r.log)
			}
		}
	})
}

func TestAPanickingFilterOrRunnableDoesNotEndTheProcess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a", "b")
		m := newManager(controller.ManagerOptions{})
		var reconciled atomic.Int32
		controller.New(m, "c", w.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			reconciled.Add(1)
			return controller.Result{}, nil
		}, controller.Options{}, controller.WithFilter(func(_ context.Context, e controller.Event[*corev1.ConfigMap]) bool {
			if e.New.Name == "a" {
				panic("filter")
			}
			return true
		}))
		m.AddRunnable("r", func(context.Context) error { time.Sleep(time.Second); panic("runnable") })
		r := start(t, t.Context(), m)
		<-r.done
		var panicErr *controller.PanicError
		if !errors.As(r.err, &panicErr) || panicErr.Value != "runnable" || len(panicErr.Stack) == 0 {
			t.Errorf("Run returned %v", r.err)
		}
		if reconciled.Load() != 2 {
			t.Errorf("%d reconciled, want both: an event whose filter panics passes", reconciled.Load())
		}
	})
}

func TestWhatAReconcileReturnsDecidesWhenItIsCalledAgain(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "configmaps"}, "a", errors.New("changed"))
	for name, test := range map[string]struct {
		result controller.Result
		err    error
		want   int32 // reconciles within ten seconds
		stats  controller.Stats
		log    string
	}{
		"nil: not until the next event":    {want: 1, stats: controller.Stats{Done: 1}},
		"requeue: after that time":         {result: controller.Result{RequeueAfter: 3 * time.Second}, want: 4, stats: controller.Stats{Requeued: 4}},
		"error: with a growing back-off":   {err: errors.New("no"), want: 10, stats: controller.Stats{Retried: 10}, log: "level=ERROR"},
		"conflict: the same, but no error": {err: conflict, want: 10, stats: controller.Stats{Retried: 10}, log: "level=INFO msg=\"Reconcile met a conflict"},
		"terminal: not until the next one": {err: controller.TerminalError(errors.New("never")), want: 1, stats: controller.Stats{Terminal: 1}, log: "level=ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.add("a")
				m := newManager(controller.ManagerOptions{})
				var calls atomic.Int32
				c := controller.New(m, "c", w.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
					calls.Add(1)
					return test.result, test.err
				}, controller.Options{})
				r := start(t, t.Context(), m)
				time.Sleep(10 * time.Second)
				synctest.Wait()
				if calls.Load() != test.want {
					t.Errorf("called %d times, want %d", calls.Load(), test.want)
				}
				if got := c.Stats(); got.Done != test.stats.Done || got.Requeued != test.stats.Requeued || got.Retried != test.stats.Retried || got.Terminal != test.stats.Terminal {
					t.Errorf("counted %+v, want %+v", got, test.stats)
				}
				if !strings.Contains(r.log.String(), test.log) || (test.log != "level=ERROR" && strings.Contains(r.log.String(), "level=ERROR")) {
					t.Errorf("logged:\n%s", r.log)
				}
				before := calls.Load()
				w.Modify(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a", Labels: map[string]string{"x": "y"}}})
				synctest.Wait()
				if calls.Load() != before+1 {
					t.Errorf("an event led to %d more calls", calls.Load()-before)
				}
			})
		})
	}
}

func TestAnObjectIsNeverReconciledTwiceAtTheSameTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := newManager(controller.ManagerOptions{})
		var at, most, total atomic.Int32
		controller.New(m, "c", w.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			most.Store(max(most.Load(), at.Add(1)))
			time.Sleep(time.Second)
			at.Add(-1)
			total.Add(1)
			return controller.Result{}, nil
		}, controller.Options{Workers: 4})
		start(t, t.Context(), m)
		for i := range 20 {
			time.Sleep(100 * time.Millisecond)
			cm := configMap("a")
			cm.Generation = int64(i)
			w.Modify(cm)
		}
		time.Sleep(5 * time.Second)
		if most.Load() != 1 || total.Load() < 3 || total.Load() > 4 {
			t.Errorf("%d at the same time, %d in all", most.Load(), total.Load())
		}
	})
}

func TestC24ReconcilersGetCopiesAndCachesDropManagedFields(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		cm := configMap("a")
		cm.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "someone"}}
		w.Add(cm)
		m := newManager(controller.ManagerOptions{})
		informer := w.informer()
		var managed atomic.Int32
		controller.New(m, "c", informer, func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			managed.Store(int32(len(cm.ManagedFields)))
			cm.Labels = map[string]string{"changed": "by the reconciler"}
			return controller.Result{}, nil
		}, controller.Options{})
		start(t, t.Context(), m)
		synctest.Wait()
		cached, _, _ := informer.GetStore().GetByKey("default/a")
		if len(cached.(*corev1.ConfigMap).Labels) != 0 {
			t.Error("the reconciler changed the cached object")
		}
		if managed.Load() != 0 {
			t.Error("the cache kept managedFields")
		}
	})
}

func TestC24KeepManagedFieldsAndATransformAreChosenPerInformer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		cm := configMap("a")
		cm.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "someone"}}
		cm.Data = map[string]string{"large": "value"}
		w.Add(cm)
		m := newManager(controller.ManagerOptions{})
		informer := w.informer()
		m.AddInformer(informer, controller.InformerOptions{KeepManagedFields: true, Transform: func(obj any) (any, error) {
			obj.(*corev1.ConfigMap).Data = nil
			return obj, nil
		}})
		start(t, t.Context(), m)
		synctest.Wait()
		cached, _, _ := informer.GetStore().GetByKey("default/a")
		if got := cached.(*corev1.ConfigMap); len(got.ManagedFields) != 1 || got.Data != nil {
			t.Errorf("the cache has %+v", got)
		}
	})
}

func TestC24ASharedObjectThatIsChangedIsReported(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("careful", "careless")
		m := newManager(controller.ManagerOptions{})
		informer := w.informer()
		c := controller.New(m, "c", informer, func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			if cached, _, _ := informer.GetStore().GetByKey("default/" + cm.Name); cached != any(cm) {
				t.Error("a copy was handed out")
			}
			if cm.Name == "careless" {
				cm.Labels = map[string]string{"changed": "by the reconciler"}
			}
			return controller.Result{}, nil
		}, controller.Options{DisableDeepCopy: true, DetectMutations: true})
		r := start(t, t.Context(), m)
		synctest.Wait()
		if stats := c.Stats(); stats.Done != 1 || stats.Terminal != 1 || !strings.Contains(r.log.String(), "default/careless changed the cached object") {
			t.Errorf("counted %+v, logged:\n%s", stats, r.log)
		}
	})
}

func TestOwnedAndWatchedObjectsWakeTheirObject(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, others := newWorld(t), newWorld(t)
		w.add("owner", "named")
		m := newManager(controller.ManagerOptions{})
		calls := map[string]*atomic.Int32{"owner": {}, "named": {}}
		informer, other := w.informer(), others.informer()
		c := controller.New(m, "c", informer, func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			calls[cm.Name].Add(1)
			return controller.Result{}, nil
		}, controller.Options{})
		controller.Owns(c, other)
		controller.Watches(c, other, func(_ context.Context, cm *corev1.ConfigMap) []controller.Request {
			if name := cm.Data["for"]; name != "" {
				return []controller.Request{{Namespace: cm.Namespace, Name: name}}
			}
			return nil
		})
		start(t, t.Context(), m)
		synctest.Wait()
		expect := func(what string, owner, named int32) {
			t.Helper()
			synctest.Wait()
			if calls["owner"].Load() != owner || calls["named"].Load() != named {
				t.Errorf("%s: owner %d, want %d; named %d, want %d", what, calls["owner"].Load(), owner, calls["named"].Load(), named)
			}
		}
		expect("at the start", 1, 1)
		owned := configMap("owned")
		owned.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(configMap("owner"), schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"})}
		others.Add(owned)
		expect("an owned object appears", 2, 1)
		others.Delete(owned)
		expect("an owned object goes", 3, 1)
		stranger := configMap("stranger")
		stranger.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(configMap("owner"), schema.GroupVersionKind{Version: "v1", Kind: "Secret"})}
		others.Add(stranger)
		expect("an object whose owner is of another kind", 3, 1)
		mapped := configMap("mapped")
		mapped.Data = map[string]string{"for": "named"}
		others.Add(mapped)
		expect("a mapped object appears", 3, 2)
		moved := mapped.DeepCopy()
		moved.Data["for"] = "owner"
		others.Modify(moved)
		expect("a mapped object names another: both are told", 4, 3)
	})
}

func TestGenerationChangedPassesSpecsAndResyncsOnly(t *testing.T) {
	at := func(generation int64, version string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Generation: generation, ResourceVersion: version}}
	}
	for name, test := range map[string]struct {
		event controller.Event[*corev1.ConfigMap]
		want  bool
	}{
		"added":   {controller.Event[*corev1.ConfigMap]{Type: controller.Added, New: at(1, "1")}, true},
		"deleted": {controller.Event[*corev1.ConfigMap]{Type: controller.Deleted, Old: at(1, "1")}, true},
		"spec":    {controller.Event[*corev1.ConfigMap]{Type: controller.Updated, Old: at(1, "1"), New: at(2, "2")}, true},
		"status":  {controller.Event[*corev1.ConfigMap]{Type: controller.Updated, Old: at(1, "1"), New: at(1, "2")}, false},
		"resync":  {controller.Event[*corev1.ConfigMap]{Type: controller.Updated, Old: at(1, "1"), New: at(1, "1")}, true},
	} {
		if got := controller.GenerationChanged(t.Context(), test.event); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWhatIsThereAtTheStartWaitsForWhatHappens(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 50 {
			w.add(fmt.Sprintf("old-%02d", i))
		}
		var order []string
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			order = append(order, cm.Name)
			time.Sleep(time.Second)
			return controller.Result{}, nil
		}, controller.Options{})
		r := start(t, t.Context(), m)
		time.Sleep(4500 * time.Millisecond) // in the fifth
		w.add("new")
		w.Modify(configMap("old-40")) // waits since the start
		time.Sleep(10 * time.Second)
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		if len(order) < 10 || order[5] != "new" || order[6] != "old-40" {
			t.Errorf("reconciled in this order: %v", order)
		}
	})
}
