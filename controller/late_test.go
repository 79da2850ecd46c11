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

// TestWhatIsAddedAfterRunHasBegunEndsTheRunWithAnErrorThatNamesIt because it would never run.
func TestWhatIsAddedAfterRunHasBegunEndsTheRunWithAnErrorThatNamesIt(t *testing.T) {
	for name, test := range map[string]struct {
		add  func(*controller.Manager, *world)
		want string
	}{
		"a controller": {func(m *controller.Manager, w *world) {
			controller.New(m, "late", w.informer(), nothing, controller.Options{})
		}, `controller "late"`},
		"a runnable": {func(m *controller.Manager, _ *world) {
			m.AddRunnable("late", func(context.Context) error { return nil })
		}, `runnable "late"`},
		"a leader's runnable": {func(m *controller.Manager, _ *world) {
			m.AddLeaderRunnable("late", func(context.Context) error { return nil })
		}, `runnable "late"`},
		"an informer": {func(m *controller.Manager, w *world) {
			m.AddInformer(w.informer(), controller.InformerOptions{})
		}, "ConfigMap"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				m := newManager(controller.ManagerOptions{})
				var ended error
				m.AddRunnable("looks", func(ctx context.Context) error {
					<-ctx.Done()
					ended = context.Cause(ctx)
					return nil
				})
				r := start(t, t.Context(), m)
				synctest.Wait()
				test.add(m, w)
				<-r.done
				if r.err == nil || !errors.Is(r.err, controller.ErrLate) || !strings.Contains(r.err.Error(), test.want) {
					t.Errorf("Run returned %v, which does not name %s", r.err, test.want)
				}
				if !errors.Is(ended, cause.ComponentFailed) {
					t.Errorf("the others ended because of %v", ended)
				}
			})
		})
	}
}

func TestASourceThatIsAddedAfterRunHasBegunEndsTheRunToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		m := newManager(controller.ManagerOptions{})
		c := controller.New(m, "c", w.informer(), nothing, controller.Options{})
		r := start(t, t.Context(), m)
		synctest.Wait()
		controller.Owns(c, w.informer())
		<-r.done
		if !errors.Is(r.err, controller.ErrLate) || !strings.Contains(r.err.Error(), `controller "c"`) {
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
