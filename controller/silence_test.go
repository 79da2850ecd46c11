// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// seen counts reconciles by name.
type seen struct {
	mu sync.Mutex
	n  map[string]int
}

func (s *seen) reconcile(_ context.Context, o *corev1.ConfigMap) (controller.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n == nil {
		s.n = map[string]int{}
	}
	s.n[o.Name]++
	return controller.Result{}, nil
}

func (s *seen) count(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n[name]
}

func managed() []metav1.ManagedFieldsEntry {
	return []metav1.ManagedFieldsEntry{{Manager: "somebody"}}
}

func wantError(t *testing.T, what string, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v\nwant it to have %q", what, err, part)
		}
	}
}

func wantLines(t *testing.T, log, line string, want int) {
	t.Helper()
	if n := strings.Count(log, line); n != want {
		t.Errorf("%q was logged %d times, want %d:\n%s", line, n, want, log)
	}
}

func TestAMappingThatPanicsLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, related, s := newWorld(t), newWorld(t), &seen{}
		w.add("a", "b")
		var panics atomic.Bool
		m := newManager(controller.ManagerOptions{})
		c := controller.New(m, "c", w.informer(), s.reconcile, controller.Options{})
		controller.Watches(c, related.informer(), func(context.Context, *corev1.ConfigMap) []controller.Request {
			if panics.Load() {
				panic("mapping")
			}
			return nil
		})
		r := start(t, t.Context(), m)
		time.Sleep(time.Hour)
		panics.Store(true)
		for range 500 {
			related.add("x")
		}
		time.Sleep(2 * time.Second)
		if s.count("a") != 2 || s.count("b") != 2 {
			t.Errorf("a was reconciled %d times, b %d times, want 2", s.count("a"), s.count("b"))
		}
		wantLines(t, r.log.String(), "A mapping panicked", 1)
		related.add("y")
		time.Sleep(30 * time.Second)
		if s.count("a") != 2 {
			t.Errorf("a was reconciled %d times within a minute, want 2", s.count("a"))
		}
		time.Sleep(30 * time.Second)
		if s.count("a") != 3 {
			t.Errorf("a was reconciled %d times, want 3", s.count("a"))
		}
		related.add("z")
		synctest.Wait()
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour) // what waits adds nothing
		if s.count("a") != 3 {
			t.Errorf("a was reconciled %d times after the end", s.count("a"))
		}
	})
}

func TestATransformThatFailsLosesNoObject(t *testing.T) {
	for name, fail := range map[string]func(*corev1.ConfigMap) (any, error){
		"a panic":            func(*corev1.ConfigMap) (any, error) { panic("transform") },
		"an error":           func(*corev1.ConfigMap) (any, error) { return nil, errors.New("transform") },
		"nothing":            func(*corev1.ConfigMap) (any, error) { return nil, nil },
		"a nil object":       func(*corev1.ConfigMap) (any, error) { return (*corev1.ConfigMap)(nil), nil },
		"another type":       func(*corev1.ConfigMap) (any, error) { return &corev1.Secret{}, nil },
		"another name":       func(o *corev1.ConfigMap) (any, error) { o.Name = "transform"; return o, nil },
		"a half-made change": func(o *corev1.ConfigMap) (any, error) { o.Data = nil; return o, errors.New("transform") },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, s := newWorld(t), &seen{}
				for _, name := range []string{"good", "bad", "worse"} {
					o := configMap(name)
					o.Data = map[string]string{"big": "yes"}
					o.ManagedFields = managed()
					w.Add(o)
				}
				reader, telemetry := measured()
				m := newManager(controller.ManagerOptions{Telemetry: telemetry})
				informer := w.informerWith(controller.InformerOptions{Transform: func(obj any) (any, error) {
					o := obj.(*corev1.ConfigMap)
					if o.Name != "good" && o.Labels["mended"] == "" {
						return fail(o)
					}
					o.Data = nil
					return o, nil
				}})
				controller.New(m, "c", informer, s.reconcile, controller.Options{})
				r := start(t, t.Context(), m)
				synctest.Wait()
				lister := informer.GetIndexer()
				for name, data := range map[string]int{"good": 0, "bad": 1, "worse": 1} {
					obj, exists, _ := lister.GetByKey("default/" + name)
					if !exists || len(obj.(*corev1.ConfigMap).Data) != data || obj.(*corev1.ConfigMap).ManagedFields != nil || s.count(name) != 1 {
						t.Errorf("%s is %v in the cache, reconciled %d times", name, obj, s.count(name))
					}
				}
				if name != "another name" { // whose message is another one for each object
					wantLines(t, r.log.String(), "A transform failed, the object is kept as it came", 1)
				}
				wantError(t, "Ready", m.Ready(), "informer of ConfigMap", "the transform failed for 2 objects", "default/")
				if n := values(t, reader, "lanyard.cache.errors")["ConfigMaptransform"]; n != 2 {
					t.Errorf("%v errors were counted", n)
				}
				mended := configMap("bad")
				mended.Labels = map[string]string{"mended": "yes"}
				w.Modify(mended)
				w.Delete(configMap("worse"))
				synctest.Wait()
				if err := m.Ready(); err != nil {
					t.Error(err)
				}
				if err := r.end(nil); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestAMappingThatBlocksIsNamed(t *testing.T) {
	blocks := func(ctx context.Context, cm *corev1.ConfigMap) []controller.Request {
		<-ctx.Done()
		return []controller.Request{{Namespace: cm.Namespace, Name: cm.Name}}
	}
	t.Run("at the start", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w, related := newWorld(t), newWorld(t)
			related.add("x")
			m := newManager(controller.ManagerOptions{SyncTimeout: 3 * time.Second})
			c := controller.New(m, "c", w.informer(), nothing, controller.Options{})
			controller.Watches(c, related.informer(), blocks)
			r := start(t, t.Context(), m)
			<-r.done
			wantError(t, "Run", r.err, `controller "c" was not started`, "within 3s", "informer of ConfigMap: a mapping has been running for 3s on object default/x")
		})
	})
	t.Run("later", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w, related := newWorld(t), newWorld(t)
			m := newManager(controller.ManagerOptions{})
			c := controller.New(m, "c", w.informer(), nothing, controller.Options{})
			controller.Watches(c, related.informer(), blocks)
			r := start(t, t.Context(), m)
			synctest.Wait()
			related.add("x")
			time.Sleep(9 * time.Second)
			if err := m.Healthy(); err != nil {
				t.Errorf("after nine seconds: %v", err)
			}
			time.Sleep(7 * time.Second)
			wantError(t, "Healthy", m.Healthy(), `controller "c"`, "a mapping has been running", "default/x")
			wantLines(t, r.log.String(), "A function that must not block does not return", 1)
			if err := r.end(nil); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestATransformThatBlocksIsNamed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, free := newWorld(t), make(chan struct{})
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informerWith(controller.InformerOptions{Transform: func(obj any) (any, error) {
			<-free
			return obj, nil
		}}), nothing, controller.Options{})
		r := start(t, t.Context(), m)
		synctest.Wait() // before that the transform would hold a lock of client-go, which stops virtual time
		w.add("x")
		time.Sleep(16 * time.Second)
		wantError(t, "Healthy", m.Healthy(), "a transform has been running for 16s on object default/x")
		wantLines(t, r.log.String(), "A function that must not block does not return", 1)
		close(free)
		synctest.Wait()
		if err := errors.Join(m.Healthy(), m.Ready(), r.end(nil)); err != nil {
			t.Error(err)
		}
	})
}

func TestAFilterThatBlocksAtTheStartIsNamed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("x")
		m := newManager(controller.ManagerOptions{SyncTimeout: 3 * time.Second})
		controller.New(m, "c", w.informer(), nothing, controller.Options{},
			controller.WithFilter(func(ctx context.Context, _ mapEvent) bool { <-ctx.Done(); return true }))
		r := start(t, t.Context(), m)
		<-r.done
		wantError(t, "Run", r.err, "a filter has been running for 3s on object default/x")
	})
}

// A mapping that does not look at its context is a straggler, and is named all the same.
func TestAMappingThatNeverReturnsAtTheStartIsNamed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, related, free := newWorld(t), newWorld(t), make(chan struct{})
		related.add("x")
		m := newManager(controller.ManagerOptions{SyncTimeout: 3 * time.Second})
		c := controller.New(m, "c", w.informer(), nothing, controller.Options{})
		controller.Watches(c, related.informer(), func(context.Context, *corev1.ConfigMap) []controller.Request { <-free; return nil })
		r := start(t, t.Context(), m)
		<-r.done
		wantError(t, "Run", r.err, "a mapping has been running for 3s on object default/x")
		close(free)
		synctest.Wait()
	})
}

func TestC27ALeaderWhoseMappingBlocksGivesUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, w, related, free := &leaseAPI{}, newWorld(t), newWorld(t), make(chan struct{})
		m := newManager(controller.ManagerOptions{LeaderElection: elect(api, "a"), ShutdownTimeout: 10 * time.Minute})
		c := controller.New(m, "c", w.informer(), nothing, controller.Options{})
		controller.Watches(c, related.informer(), func(context.Context, *corev1.ConfigMap) []controller.Request { <-free; return nil })
		r := start(t, t.Context(), m)
		time.Sleep(time.Minute)
		related.add("x")
		time.Sleep(20 * time.Second)
		if _, leads := r.CurrentTerm(); leads {
			t.Error("it leads although no event is delivered")
		}
		wantError(t, "Healthy", m.Healthy(), "a mapping has been running", "default/x")
		close(free)
		time.Sleep(20 * time.Second)
		wantEnd(t, must(r.LastTerm()).Cause, cause.TermStuck)
		if _, leads := r.CurrentTerm(); !leads || m.Healthy() != nil {
			t.Errorf("it leads again: %v, healthy: %v", leads, m.Healthy())
		}
	})
}

func TestACacheThatIsNotFedIsToldAgainAndAtItsEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("x")
		var fails atomic.Bool
		w.onList = func(context.Context) error {
			if fails.Load() {
				return apierrors.NewInternalError(errors.New("etcd is away"))
			}
			return nil
		}
		reader, telemetry := measured()
		m := newManager(controller.ManagerOptions{Telemetry: telemetry})
		controller.New(m, "c", w.informer(), nothing, controller.Options{})
		r := start(t, t.Context(), m)
		time.Sleep(time.Hour)
		fails.Store(true)
		began := time.Now()
		w.ResetWatch()
		time.Sleep(8 * time.Second)
		wantLines(t, r.log.String(), "level=INFO msg=\"List or watch failed, trying again", 2) // one for the watch, one for the list
		if err := m.Ready(); err != nil {
			t.Errorf("after eight seconds: %v", err)
		}
		time.Sleep(8 * time.Second)
		wantLines(t, r.log.String(), "A cache is not fed, and gets older", 1)
		wantError(t, "Ready", m.Ready(), "informer of ConfigMap", "since", "etcd is away")
		if age := values(t, reader, "lanyard.cache.failing")["ConfigMap"]; age < 10 || age > 17 {
			t.Errorf("failing for %v s", age)
		}
		time.Sleep(5 * time.Minute)
		if n := strings.Count(r.log.String(), "A cache is not fed, and gets older"); n < 5 || n > 6 {
			t.Errorf("told %d times in five minutes", n)
		}
		if n := values(t, reader, "lanyard.cache.errors")["ConfigMaplist_or_watch"]; n < 5 {
			t.Errorf("%v errors were counted", n)
		}
		fails.Store(false)
		took := time.Since(began)
		time.Sleep(4 * time.Minute)
		wantLines(t, r.log.String(), "A cache is fed again", 1)
		if err := m.Ready(); err != nil {
			t.Errorf("%v, after it was mended; it took %v", err, took)
		}
		time.Sleep(time.Hour)
		wantLines(t, r.log.String(), "A cache is fed again", 1)
	})
}

func TestAnErrorThatDoesNotPassByItselfFailsReadyAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, s := newWorld(t), &seen{}
		w.add("x")
		w.onWatch = func(context.Context) error {
			return apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "", errors.New("no rule lets you watch"))
		}
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), s.reconcile, controller.Options{})
		r := start(t, t.Context(), m)
		time.Sleep(time.Second)
		wantError(t, "Ready", m.Ready(), "no rule lets you watch", "grant list and watch")
		time.Sleep(time.Hour)
		if s.count("x") != 1 {
			t.Errorf("lists reconciled it %d times", s.count("x"))
		}
		if n := strings.Count(r.log.String(), "A cache is not fed"); n < 50 {
			t.Errorf("told %d times in an hour", n)
		}
	})
}

// A relist is no resync, but the documented resyncs are.
func TestAResyncReconcilesEverythingAndARelistDoesNot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, s := newWorld(t), &seen{}
		var refuse atomic.Bool
		w.onWatch = func(context.Context) error {
			if refuse.Swap(false) {
				return errors.New("refused once, so that it lists anew")
			}
			return nil
		}
		w.add("x", "y")
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informerEvery(time.Hour), s.reconcile, controller.Options{})
		start(t, t.Context(), m)
		time.Sleep(time.Minute)
		for range 10 {
			refuse.Store(true)
			w.ResetWatch()
			time.Sleep(time.Minute)
		}
		if s.count("x") != 1 {
			t.Errorf("reconciled %d times after ten lists", s.count("x"))
		}
		changed := configMap("y")
		changed.Data = map[string]string{"a": "b"}
		w.ModifyDropWatch(changed)
		refuse.Store(true)
		w.ResetWatch()
		time.Sleep(time.Minute)
		if s.count("y") != 2 {
			t.Errorf("a change that only the list showed: reconciled %d times", s.count("y"))
		}
		time.Sleep(5 * time.Hour)
		if n := s.count("x"); n < 4 || n > 6 {
			t.Errorf("reconciled %d times in five hours of hourly resyncs", n)
		}
	})
}

func TestC24AnObjectChangedInTheCacheEndsRunAndIsNamed(t *testing.T) {
	for name, when := range map[string]time.Duration{"while it runs": time.Hour, "at the end": 0} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.add("a", "b")
				m := newManager(controller.ManagerOptions{DetectMutations: true})
				informer := w.informer()
				controller.New(m, "c", informer, func(_ context.Context, o *corev1.ConfigMap) (controller.Result, error) {
					o.Labels = map[string]string{"a": "copy may be changed"}
					if o.Name == "b" {
						cached, _, _ := informer.GetStore().GetByKey("default/a")
						cached.(*corev1.ConfigMap).Data = map[string]string{"written": "in place"}
					}
					return controller.Result{}, nil
				}, controller.Options{})
				r := start(t, t.Context(), m)
				synctest.Wait()
				w.add("c") // the detector's look happens after the change, also for the race detector
				synctest.Wait()
				time.Sleep(when)
				r.stop(nil)
				<-r.done
				wantError(t, "Run", r.err, "informer of ConfigMap", "object default/a", "+", `"written": "in place"`, "DeepCopy")
			})
		})
	}
}

func TestC24AnObjectThatIsReplacedAfterItWasChangedIsFoundToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := newManager(controller.ManagerOptions{DetectMutations: true})
		informer := w.informer()
		controller.New(m, "c", informer, nothing, controller.Options{})
		r := start(t, t.Context(), m)
		synctest.Wait()
		cached, _, _ := informer.GetStore().GetByKey("default/a")
		cached.(*corev1.ConfigMap).Data = map[string]string{"written": "in place"}
		w.Modify(configMap("a")) // before the detector looks again
		time.Sleep(time.Hour)
		<-r.done
		wantError(t, "Run", r.err, "object default/a", `"written": "in place"`)
	})
}

func TestC24NothingIsFoundThatWasNotChanged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, s := newWorld(t), &seen{}
		w.add("a", "b")
		m := newManager(controller.ManagerOptions{DetectMutations: true})
		controller.New(m, "c", w.informerEvery(time.Minute), s.reconcile, controller.Options{})
		r := start(t, t.Context(), m)
		for i := range 20 {
			o := configMap("a")
			o.Generation = int64(i)
			w.Modify(o)
			time.Sleep(10 * time.Second)
			w.ResetWatch()
		}
		w.Delete(configMap("b"))
		time.Sleep(time.Minute)
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
	})
}
