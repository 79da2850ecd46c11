// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/lanyard-k8s/lanyard/controller"
)

// closedWorld is a world whose lists are forbidden until it is opened.
type closedWorld struct {
	*world
	open atomic.Bool
}

func newClosedWorld(t *testing.T) *closedWorld {
	w := &closedWorld{world: newWorld(t)}
	w.onList = func(context.Context) error {
		if w.open.Load() {
			return nil
		}
		return apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "", errors.New("no rule lets you"))
	}
	w.add("a")
	return w
}

// settle waits until nothing happens any more after a time.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

const cannotStart = "A controller cannot start yet, and goes on trying"

// TestC29ALateControllerThatCannotStartGoesOnTryingAlone until it starts, or is stopped.
func TestC29ALateControllerThatCannotStartGoesOnTryingAlone(t *testing.T) {
	for name, stops := range map[string]bool{"until it starts": false, "until it is stopped": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, closed := newWorld(t), newClosedWorld(t)
				m := newManager(controller.ManagerOptions{SyncTimeout: 30 * time.Second})
				other := controller.New(m, "other", w.informer(), nothing, controller.Options{})
				r := start(t, t.Context(), m)
				synctest.Wait()
				late := controller.New(m, "late", closed.informer(), nothing, controller.Options{})
				settle(10 * time.Minute)
				if n := strings.Count(r.log.String(), cannotStart); n != 10 {
					t.Errorf("it was told %d times in ten minutes:\n%s", n, r.log)
				}
				err := m.Ready()
				for _, want := range []string{"1 of 2 controllers", `controller "late" waits`, "no rule lets you", "grant list and watch"} {
					if err == nil || !strings.Contains(err.Error(), want) || m.Healthy() != nil {
						t.Errorf("it is ready: %v (without %q), and healthy: %v", err, want, m.Healthy())
					}
				}
				w.add("b")
				synctest.Wait()
				if other.Stats().Done != 1 || late.Stats().Done != 0 {
					t.Errorf("the other: %+v, it: %+v", other.Stats(), late.Stats())
				}
				if stops {
					late.Stop()
					<-late.Stopped()
				} else {
					closed.open.Store(true)
					settle(3 * time.Minute)
				}
				if err := m.Ready(); err != nil || (late.Stats().Done == 1) == stops {
					t.Errorf("it is ready: %v, after %+v", err, late.Stats())
				}
				if told := strings.Contains(r.log.String(), `level=INFO msg="Controller started" controller=late`); told == stops {
					t.Errorf("its start was told: %v\n%s", told, r.log)
				}
				if err := r.end(nil); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestC29ALateControllerThatCannotStartEndsNoTerm, nor does it keep a stand-by from leading again.
func TestC29ALateControllerThatCannotStartEndsNoTerm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, first := &leaseAPI{}, worker{takes: time.Hour}
		r := leading(t, controller.ManagerOptions{LeaderElection: elect(api, "a"), SyncTimeout: 30 * time.Second}, &first)
		settle(5 * time.Second)
		closed := newClosedWorld(t)
		late := controller.New(r.Manager, "late", closed.informer(), nothing, controller.Options{})
		settle(5 * time.Minute)
		if err := r.Ready(); err == nil || !strings.Contains(err.Error(), `controller "late" waits`) {
			t.Errorf("it is ready: %v", err)
		}
		api.remove()
		settle(5 * time.Minute)
		if first.started.Load() != 2 {
			t.Errorf("in the next term %d items were started", first.started.Load())
		}
		closed.open.Store(true)
		settle(3 * time.Minute)
		if err := r.Ready(); err != nil || late.Stats().Done != 1 {
			t.Errorf("it is ready: %v, after %+v", err, late.Stats())
		}
	})
}

// TestC29ALateCacheThatDoesNotFillEndsNothing: neither that of a source, nor one whose lister is read,
// nor one that was added while the controllers still started.
func TestC29ALateCacheThatDoesNotFillEndsNothing(t *testing.T) {
	type part interface{ Stop() }
	for name, add := range map[string]func(*controller.Manager, *controller.Controller[*configMapType], *closedWorld) part{
		"of a source": func(_ *controller.Manager, c *controller.Controller[*configMapType], w *closedWorld) part {
			return controller.Owns(c, w.informer())
		},
		"of a lister": func(m *controller.Manager, _ *controller.Controller[*configMapType], w *closedWorld) part {
			return m.AddInformer(w.informer(), controller.InformerOptions{})
		},
	} {
		for when, wait := range map[string]time.Duration{"while others start": 0, "when others run": 15 * time.Second} {
			t.Run(name+" "+when, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w, closed := newWorld(t), newClosedWorld(t)
					w.add("a")
					w.onList = func(context.Context) error { time.Sleep(10 * time.Second); return nil }
					api := &leaseAPI{}
					m := newManager(controller.ManagerOptions{LeaderElection: elect(api, "a"), SyncTimeout: 30 * time.Second})
					c := controller.New(m, "c", w.informer(), nothing, controller.Options{})
					r := start(t, t.Context(), m)
					settle(time.Second + wait)
					part := add(m, c, closed)
					settle(2 * time.Minute)
					if c.Stats().Done != 1 || m.Ready() == nil {
						t.Errorf("%+v; it is ready: %v", c.Stats(), m.Ready())
					}
					api.remove()
					settle(2 * time.Minute) // the caches of the next term are not full
					if err := m.Ready(); err == nil || !strings.Contains(err.Error(), `controller "c" waits`) || !strings.Contains(r.log.String(), cannotStart) {
						t.Errorf("it is ready: %v\n%s", err, r.log)
					}
					part.Stop() // then nothing waits for it any more
					settle(2 * time.Second)
					if err := m.Ready(); err != nil || c.Stats().Done != 2 {
						t.Errorf("it is ready: %v, after %+v", err, c.Stats())
					}
				})
			})
		}
	}
}

// TestC29TheNameOfAPartThatStillStopsIsNotFree, and the error says when it is.
func TestC29TheNameOfAPartThatStillStopsIsNotFree(t *testing.T) {
	runs := func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(time.Second)
		return nil
	}
	for name, add := range map[string]func(*controller.Manager, *world) interface{ Stop() }{
		"controllers": func(m *controller.Manager, w *world) interface{ Stop() } {
			return controller.New(m, "c", w.informer(), func(ctx context.Context, _ *configMapType) (controller.Result, error) {
				return controller.Result{}, runs(ctx)
			}, controller.Options{})
		},
		"runnables": func(m *controller.Manager, _ *world) interface{ Stop() } { return m.AddRunnable("c", runs) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.add("a")
				m := newManager(controller.ManagerOptions{})
				r := start(t, t.Context(), m)
				synctest.Wait()
				earlier := add(m, w)
				synctest.Wait()
				earlier.Stop()
				add(m, w)
				<-r.done
				if r.err == nil || !strings.Contains(r.err.Error(), "two "+name+` named "c"`) || !strings.Contains(r.err.Error(), "wait for its Stopped()") {
					t.Errorf("Run returned %v", r.err)
				}
			})
		})
	}
}

// TestEachCacheOfAKindIsToldOfByItself, also if several have one name, and not any more when it has ended.
func TestEachCacheOfAKindIsToldOfByItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(controller.ManagerOptions{})
		r := start(t, t.Context(), m)
		synctest.Wait()
		one, other := newClosedWorld(t), newClosedWorld(t)
		m.AddInformer(one.informer(), controller.InformerOptions{})
		last := m.AddInformer(other.informer(), controller.InformerOptions{})
		settle(5*time.Minute + 2*time.Second)
		wantLines(t, r.log.String(), "A cache is not fed", 10)
		one.open.Store(true)
		settle(5 * time.Minute)
		wantLines(t, r.log.String(), "A cache is fed again", 1)
		wantError(t, "Ready", m.Ready(), "no rule lets you")
		last.Stop()
		settle(5 * time.Minute)
		wantLines(t, r.log.String(), "A cache is fed again", 1)
		if err := m.Ready(); err != nil {
			t.Error(err)
		}
	})
}
