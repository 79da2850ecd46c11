// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// TestC29WhatIsAddedToARunningManagerRunsAndEndsAlone, and the manager goes on.
func TestC29WhatIsAddedToARunningManagerRunsAndEndsAlone(t *testing.T) {
	type part interface {
		Stop()
		Stopped() <-chan struct{}
	}
	runs := func(began chan<- struct{}, why *error) func(context.Context) error {
		return func(ctx context.Context) error {
			began <- struct{}{}
			<-ctx.Done()
			*why = context.Cause(ctx)
			return ctx.Err()
		}
	}
	for name, add := range map[string]func(*controller.Manager, *world, chan<- struct{}, *error) part{
		"a controller": func(m *controller.Manager, w *world, began chan<- struct{}, why *error) part {
			return controller.New(m, "late", w.informer(), func(ctx context.Context, _ *configMapType) (controller.Result, error) {
				return controller.Result{}, runs(began, why)(ctx)
			}, controller.Options{})
		},
		"a runnable": func(m *controller.Manager, _ *world, began chan<- struct{}, why *error) part {
			return m.AddRunnable("late", runs(began, why))
		},
		"a server": func(m *controller.Manager, _ *world, began chan<- struct{}, why *error) part {
			return m.AddServer("late", runs(began, why))
		},
		"a leader's runnable": func(m *controller.Manager, _ *world, began chan<- struct{}, why *error) part {
			return m.AddLeaderRunnable("late", runs(began, why))
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.add("a")
				m := newManager(controller.ManagerOptions{})
				r := start(t, t.Context(), m)
				synctest.Wait()
				began := make(chan struct{}, 1)
				var why error
				p := add(m, w, began, &why)
				<-began
				if err := m.Ready(); err != nil {
					t.Error(err)
				}
				p.Stop()
				<-p.Stopped()
				if !errors.Is(why, cause.Stopped) || !errors.Is(why, context.Canceled) || !strings.Contains(why.Error(), `"late"`) {
					t.Errorf("it ended because of %v", why)
				}
				again := add(m, w, began, &why) // its name is free again
				<-began
				if err := r.end(nil); err != nil || !errors.Is(why, cause.Shutdown) {
					t.Errorf("Run returned %v, and it ended because of %v", err, why)
				}
				again.Stop()
				<-again.Stopped()
			})
		})
	}
}

func TestC29ASourceThatIsAddedToARunningControllerFeedsItUntilItIsStopped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, others := newWorld(t), newWorld(t)
		w.add("a", "b")
		others.add("x")
		m := newManager(controller.ManagerOptions{})
		reconciled := map[string]int{}
		c := controller.New(m, "c", w.informer(), func(_ context.Context, object *configMapType) (controller.Result, error) {
			reconciled[object.Name]++
			return controller.Result{}, nil
		}, controller.Options{})
		start(t, t.Context(), m)
		synctest.Wait()
		source := controller.Watches(c, others.informer(), func(context.Context, *configMapType) []controller.Request {
			return []controller.Request{{Namespace: "default", Name: "b"}}
		})
		if err := source.WaitForSync(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		others.Modify(configMap("x"))
		synctest.Wait()
		source.Stop()
		others.Modify(configMap("x"))
		synctest.Wait()
		if reconciled["a"] != 1 || reconciled["b"] != 3 {
			t.Errorf("reconciled %v", reconciled)
		}
	})
}

// TestAMistakeInWhatIsAddedToARunningManagerEndsIt, because nobody else would hear of it.
func TestAMistakeInWhatIsAddedToARunningManagerEndsIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		m := newManager(controller.ManagerOptions{})
		controller.New(m, "c", w.informer(), nothing, controller.Options{})
		r := start(t, t.Context(), m)
		synctest.Wait()
		controller.New(m, "c", w.informer(), nothing, controller.Options{})
		<-r.done
		if r.err == nil || !strings.Contains(r.err.Error(), `there are two controllers named "c"`) {
			t.Errorf("Run returned %v", r.err)
		}
	})
}

// TestRunDoesNotBeginWhileSomethingIsAdded because it would be lost: too late for Run, and too early
// for an error.
func TestRunDoesNotBeginWhileSomethingIsAdded(t *testing.T) {
	if newManager(controller.ManagerOptions{}).MayBeginWhileAdding() {
		t.Error("Run may begin")
	}
}

// TestMainRunsWhatItsSetUpAddsUntilTheEnd is Main without a process and its signals.
func TestMainRunsWhatItsSetUpAddsUntilTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		ctx, end := context.WithCancel(t.Context())
		var c *controller.Controller[*configMapType]
		err := controller.RunMain(ctx, unused(), controller.ManagerOptions{}, func(m *controller.Manager) error {
			c = controller.New(m, "c", w.informer(), func(context.Context, *configMapType) (controller.Result, error) {
				end()
				return controller.Result{}, nil
			}, controller.Options{})
			return nil
		})
		if err != nil || c.Stats().Done != 1 {
			t.Errorf("it returned %v, after %+v", err, c.Stats())
		}
	})
}

func TestMainReturnsTheErrorOfItsSetUpAndRunsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		broken := errors.New("no database")
		err := controller.RunMain(t.Context(), unused(), controller.ManagerOptions{}, func(m *controller.Manager) error {
			m.AddRunnable("r", func(context.Context) error { t.Error("it was run"); return nil })
			return broken
		})
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "set up the manager") {
			t.Errorf("it returned %v", err)
		}
	})
}
