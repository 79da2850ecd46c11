// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller"
)

func inNamespace(namespace, name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

// withPriority is an object that says its own priority.
func withPriority(name string, priority int) *corev1.ConfigMap {
	cm := configMap(name)
	cm.Labels = map[string]string{"priority": strconv.Itoa(priority)}
	return cm
}

// priorityOf asks the cache.
func priorityOf(informer cache.TypedSharedIndexInformer[*corev1.ConfigMap]) func(controller.Request) int {
	return func(request controller.Request) int {
		cached, exists, err := informer.GetStore().GetByKey(request.String())
		if err != nil || !exists {
			return 0
		}
		priority, _ := strconv.Atoi(cached.(*corev1.ConfigMap).Labels["priority"])
		return priority
	}
}

// second reconciles an object in a second.
func (r *runs) second(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
	r.add("%s/%s", cm.Namespace, cm.Name)
	time.Sleep(time.Second)
	return controller.Result{}, nil
}

// TestTenThousandObjectsOfATenantDelayThatOfAnotherByOneForEachWorker also if there are objects from
// the start, which have low priority, and whatever the first tenant's objects do meanwhile.
func TestTenThousandObjectsOfATenantDelayThatOfAnotherByOneForEachWorker(t *testing.T) {
	for _, workers := range []int{1, 4} {
		t.Run(fmt.Sprint(workers, " workers"), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, r := newWorld(t), &runs{}
				for i := range 100 {
					w.Add(inNamespace("busy", fmt.Sprint("old-", i)))
				}
				m := newManager(controller.ManagerOptions{})
				controller.New(m, "c", w.informer(), r.second, controller.Options{Workers: workers, FairBy: controller.ByNamespace})
				start(t, t.Context(), m)
				synctest.Wait()
				for i := range 10_000 {
					w.Add(inNamespace("busy", fmt.Sprint(i)))
				}
				for i := range 30 {
					time.Sleep(time.Duration(i)*time.Second + 500*time.Millisecond)
					synctest.Wait()
					begun := len(r.get())
					other := fmt.Sprint("other-", i)
					w.Add(inNamespace("calm", other))
					time.Sleep(3 * time.Second)
					delay := slices.Index(r.get()[begun:], "calm/"+other)
					if delay < 0 || delay > workers {
						t.Errorf("%d objects began before that of the other tenant, want at most %d", delay, workers)
					}
				}
			})
		})
	}
}

func TestWithoutFairnessObjectsAreReconciledInTheOrderOfTheirEvents(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, r := newWorld(t), &runs{}
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), r.second, controller.Options{})
		start(t, t.Context(), m)
		synctest.Wait()
		for i := range 20 {
			w.Add(inNamespace("busy", fmt.Sprint(i)))
		}
		w.Add(inNamespace("calm", "other"))
		time.Sleep(time.Minute)
		if at := slices.Index(r.get(), "calm/other"); at != 20 {
			t.Errorf("the other came after %d objects, want 20", at)
		}
	})
}

func TestAnUrgentObjectGoesAheadAndOneThatCanWaitIsReachedAllTheSame(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, r := newWorld(t), &runs{}
		w.Add(withPriority("first", 0))
		informer := w.informer()
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", informer, func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			if _, err := r.second(ctx, cm); err != nil {
				return controller.Result{}, err
			}
			if cm.Labels["priority"] == "0" {
				return controller.Result{RequeueAfter: -1}, nil // there is always an ordinary one
			}
			return controller.Result{}, nil
		}, controller.Options{Priority: priorityOf(informer)})
		start(t, t.Context(), m)
		synctest.Wait()
		for i := range 3 {
			w.Add(withPriority(fmt.Sprint("ordinary-", i), 0))
		}
		w.Add(withPriority("can wait", -10))
		w.Add(withPriority("urgent", 10))
		synctest.Wait()
		w.Modify(withPriority("ordinary-2", 20)) // it is in the queue already
		time.Sleep(30 * time.Second)
		got := r.get()
		if want := []string{"default/first", "default/ordinary-2", "default/urgent", "default/ordinary-0"}; !slices.Equal(got[:4], want) {
			t.Errorf("began with %q, want %q", got[:4], want)
		}
		if at := slices.Index(got, "default/can wait"); at < 5 || at > 11 {
			t.Errorf("the one that can wait was number %d of %q", at, got)
		}
	})
}

// TestAFurtherTryHasThePriorityOfItsObject because it may have been lost with the event.
func TestAFurtherTryHasThePriorityOfItsObject(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, r := newWorld(t), &runs{}
		informer := w.informer()
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", informer, func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			_, err := r.second(ctx, cm)
			if cm.Name == "urgent" {
				return controller.Result{RequeueAfter: 3500 * time.Millisecond}, err
			}
			return controller.Result{}, err
		}, controller.Options{Priority: priorityOf(informer)})
		start(t, t.Context(), m)
		synctest.Wait()
		w.Add(withPriority("urgent", 1))
		for i := range 30 {
			w.Add(withPriority(fmt.Sprint(i), 0))
		}
		time.Sleep(20 * time.Second)
		for i, name := range r.get() {
			if urgent := i%5 == 0; urgent != (name == "default/urgent") {
				t.Fatalf("number %d of %q: it comes each 4.5 s, and is next then", i, r.get())
			}
		}
	})
}

func TestAPanicInPriorityOrFairByLosesNoObject(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a", "b")
		m := newManager(controller.ManagerOptions{})
		var reconciled atomic.Int32
		controller.New(m, "c", w.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			if reconciled.Add(1) > 5 {
				return controller.Result{}, nil
			}
			return controller.Result{RequeueAfter: time.Second}, nil
		}, controller.Options{Priority: func(request controller.Request) int {
			if request.Name == "a" {
				panic("out of ranks")
			}
			return 1
		}})
		r := start(t, t.Context(), m)
		time.Sleep(time.Minute)
		if got := reconciled.Load(); got != 7 {
			t.Errorf("%d reconciles, want 7", got)
		}
		for _, want := range []string{"panic: out of ranks", "FairBy or Priority panicked", "name=a", "controller=c", "fairness_test.go"} {
			if log := r.log.String(); !strings.Contains(log, want) {
				t.Errorf("the log does not have %q:\n%s", want, log)
			}
		}
	})
}

// TestTheOldestIsTheOneThatHasWaitedLongestInEachOrder and the health check names it.
func TestTheOldestIsTheOneThatHasWaitedLongestInEachOrder(t *testing.T) {
	for name, ordered := range map[string]func(cache.TypedSharedIndexInformer[*corev1.ConfigMap]) controller.Options{
		"by events": func(cache.TypedSharedIndexInformer[*corev1.ConfigMap]) controller.Options {
			return controller.Options{}
		},
		"fair": func(cache.TypedSharedIndexInformer[*corev1.ConfigMap]) controller.Options {
			return controller.Options{FairBy: controller.ByNamespace}
		},
		"by priority": func(informer cache.TypedSharedIndexInformer[*corev1.ConfigMap]) controller.Options {
			return controller.Options{Priority: priorityOf(informer)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, free := newWorld(t), make(chan struct{})
				reader, telemetry := measured()
				informer := w.informer()
				m := newManager(controller.ManagerOptions{Telemetry: telemetry, ShutdownTimeout: time.Hour})
				options := ordered(informer)
				options.Timeout = 5 * time.Minute
				controller.New(m, "c", informer, func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
					<-free
					return controller.Result{}, nil
				}, options)
				start(t, t.Context(), m)
				defer close(free)
				synctest.Wait()
				w.Add(withPriority("runs", 0))
				synctest.Wait()
				w.Add(withPriority("oldest", -5))
				time.Sleep(time.Minute)
				w.Add(withPriority("urgent", 5))
				time.Sleep(5 * time.Minute)
				if got := values(t, reader, "lanyard.queue.oldest")["c"]; got != 360 {
					t.Errorf("the oldest has waited for %v s, want 360 s", got)
				}
				if err := m.Healthy(); err == nil || !strings.Contains(err.Error(), "objects that wait for them: 2, default/oldest for 6m0s") {
					t.Errorf("the health check says %v", err)
				}
			})
		})
	}
}
