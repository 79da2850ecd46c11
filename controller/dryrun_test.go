// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/klog/v2"

	"github.com/go-logr/logr"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// counts counts reconciles by object.
type counts struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counts) add(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]int{}
	}
	c.of[name]++
	return c.of[name]
}

// noLeases fails the test when a Lease is used.
type noLeases struct{ *testing.T }

func (n noLeases) Leases(string) coordinationv1client.LeaseInterface {
	n.Error("a Lease is used")
	return nil
}

func TestC33ADryRunReconcilesEachObjectInRoundsWithoutALeaseAndEnds(t *testing.T) {
	for _, rounds := range []int{0, 1, 3} {
		bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.add("works", "fails", "panics", "requeues", "late")
			election := &controller.LeaderElection{Namespace: "default", Name: "lease", Identity: "me"}
			inTest(election, noLeases{t}, nil)
			m := newManager(controller.ManagerOptions{
				DryRun: &controller.DryRun{Rounds: rounds}, LeaderElection: election,
			})
			var times counts
			var wasDry, led bool
			reconcile := func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
				times.add(cm.Name)
				wasDry = controller.IsDryRun(ctx)
				_, led = controller.TermFrom(ctx)
				switch cm.Name {
				case "fails":
					return controller.Result{}, errors.New("broken")
				case "panics":
					panic("broken too")
				case "requeues":
					return controller.Result{RequeueAfter: time.Minute}, nil
				case "late":
					time.Sleep(time.Second)
				}
				return controller.Result{}, nil
			}
			c := controller.New(m, "c", w.informer(), reconcile, controller.Options{})
			c.AddSource("poller", func(context.Context, controller.EnqueueFunc) error { t.Error("a source runs"); return nil })
			m.AddRunnable("health", func(context.Context) error { t.Error("a runnable runs"); return nil })
			m.AddLeaderRunnable("job", func(context.Context) error { t.Error("a runnable runs"); return nil })

			began := time.Now()
			made, err := m.Plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := max(rounds, 1)
			if took := time.Since(began); took != time.Duration(want)*time.Second {
				t.Errorf("it took %v", took)
			}
			for _, name := range []string{"works", "fails", "panics", "requeues", "late"} {
				if times.of[name] != want {
					t.Errorf("%s was reconciled %d times, want %d", name, times.of[name], want)
				}
			}
			if !wasDry || led || made.Reconciles != 5*want || !made.Unchanged() || len(made.Failures) != 2 {
				t.Errorf("dry %t, leads %t, %+v", wasDry, led, made)
			}
			if why := m.Report().Cause; !errors.Is(why, cause.DryRun) {
				t.Errorf("it ended with %v", why)
			}
			if want := []string{"the source poller of the controller c", "the runnable health", "the runnable job"}; !slices.Equal(made.NotRun, want) {
				t.Errorf("not run: %q", made.NotRun)
			}
			text := made.String()
			for _, line := range []string{"failed (by c default/fails): broken\n", "not run in a dry run: the runnable health\n", "nothing would change, 2 failed\n"} {
				if !strings.Contains(text, line) {
					t.Errorf("the text has no line %q:\n%s", line, text)
				}
			}
		})
	}
}

func TestC33RunAndPlanAreNeverTheOtherOne(t *testing.T) {
	if err := newManager(controller.ManagerOptions{DryRun: &controller.DryRun{}}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "call Plan") {
		t.Errorf("Run of a dry manager returned %v", err)
	}
	if made, err := newManager(controller.ManagerOptions{}).Plan(t.Context()); err == nil || made != nil || !strings.Contains(err.Error(), "DryRun is not set") {
		t.Errorf("Plan of a manager that is not dry returned %v, %v", made, err)
	}
	if made, err := newManager(controller.ManagerOptions{DryRun: &controller.DryRun{}}).Plan(t.Context()); err != nil || !made.Unchanged() {
		t.Errorf("Plan without controllers returned %v, %v", made, err)
	}
	if controller.IsDryRun(t.Context()) {
		t.Error("a context of nobody is dry")
	}
}

func TestADryRunThatIsEndedHasNoPlan(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := newManager(controller.ManagerOptions{DryRun: &controller.DryRun{}})
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			<-ctx.Done()
			return controller.Result{}, ctx.Err()
		}, controller.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if made, err := m.Plan(ctx); made != nil || !errors.Is(err, cause.Shutdown) {
			t.Errorf("Plan returned %v, %v", made, err)
		}
	})
}

func TestADryRunWhoseCachesDoNotFillFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.onList = func(context.Context) error { return errors.New("forbidden") }
		m := newManager(controller.ManagerOptions{DryRun: &controller.DryRun{}})
		controller.New(m, "c", w.informer(), nothing, controller.Options{})
		if made, err := m.Plan(t.Context()); made != nil || err == nil || !strings.Contains(err.Error(), "forbidden") {
			t.Errorf("Plan returned %v, %v", made, err)
		}
	})
}

// TestADryRunOfAnObjectThatChangesIsOfItsLastState, and neither endless nor cut short.
func TestADryRunOfAnObjectThatChangesIsOfItsLastState(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := newManager(controller.ManagerOptions{DryRun: &controller.DryRun{}})
		var times counts
		var last int64
		controller.New(m, "c", w.informer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			last = cm.Generation
			if times.add(cm.Name) == 1 {
				changed := configMap("a")
				changed.Generation = 2
				w.Modify(changed)
				<-ctx.Done()
				return controller.Result{}, ctx.Err()
			}
			return controller.Result{}, nil
		}, controller.Options{SupersedeLimit: 1})
		made, err := m.Plan(t.Context())
		if err != nil || times.of["a"] != 2 || last != 2 || made.Reconciles != 1 || made.Failed() {
			t.Errorf("%d reconciles, the last of generation %d: %+v, %v", times.of["a"], last, made, err)
		}
	})
}

// TestC33AnObjectThatChangesAfterItsRoundsIsNotReconciledAgain.
func TestC33AnObjectThatChangesAfterItsRoundsIsNotReconciledAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a", "b")
		m := newManager(controller.ManagerOptions{DryRun: &controller.DryRun{}})
		var times counts
		controller.New(m, "c", w.informer(), func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			times.add(cm.Name)
			if cm.Name == "b" {
				time.Sleep(time.Second)
			}
			return controller.Result{}, errors.New("broken")
		}, controller.Options{Workers: 2})
		time.AfterFunc(time.Second/2, func() {
			changed := configMap("a")
			changed.Generation = 2
			w.Modify(changed)
		})
		log := &logBuffer{}
		ctx := klog.NewContext(t.Context(), logr.FromSlogHandler(slog.NewTextHandler(log, nil)))
		if _, err := m.Plan(ctx); err != nil || times.of["a"] != 1 {
			t.Errorf("%d reconciles, %v", times.of["a"], err)
		}
		if text := log.String(); strings.Contains(text, "again") || !strings.Contains(text, `"Reconcile failed"`) {
			t.Errorf("the log is not of a dry run:\n%s", text)
		}
	})
}

// TestADryRunEndsWithoutAControllerThatWasStopped.
func TestADryRunEndsWithoutAControllerThatWasStopped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a", "b")
		m := newManager(controller.ManagerOptions{DryRun: &controller.DryRun{}})
		endless := controller.New(m, "endless", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			<-ctx.Done()
			return controller.Result{}, ctx.Err()
		}, controller.Options{})
		time.AfterFunc(time.Second, func() { endless.Stop() })
		if _, err := m.Plan(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
}

// TestADryRunWithRunnablesRunsThemUntilItIsComplete.
func TestADryRunWithRunnablesRunsThemUntilItIsComplete(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := newManager(controller.ManagerOptions{DryRun: &controller.DryRun{Runnables: true}})
		var why error
		began := make(chan struct{})
		m.AddRunnable("r", func(ctx context.Context) error {
			close(began)
			<-ctx.Done()
			why = context.Cause(ctx)
			return nil
		})
		controller.New(m, "c", w.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			<-began
			return controller.Result{}, nil
		}, controller.Options{})
		made, err := m.Plan(t.Context())
		if err != nil || !errors.Is(why, cause.DryRun) || len(made.NotRun) > 0 {
			t.Errorf("it ended with %v: %+v, %v", why, made, err)
		}
	})
}

// TestADryRunDoesNotFollowWhatACacheDoesNotHave because a create was not made; other errors of caches are
// failures.
func TestAMissOfACacheIsAFailureWithoutACreate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := newManager(controller.ManagerOptions{DryRun: &controller.DryRun{}})
		controller.New(m, "c", w.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			return controller.Result{}, apierrors.NewNotFound(corev1.Resource("pods"), "p")
		}, controller.Options{})
		made, err := m.Plan(t.Context())
		if err != nil || len(made.Failures) != 1 || len(made.Stops) > 0 {
			t.Errorf("%+v, %v", made, err)
		}
	})
}
