// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// worker is a reconcile that takes a time, unless its context ends first, and what became of it.
type worker struct {
	takes    time.Duration
	started  atomic.Int32
	finished atomic.Int32
	cause    atomic.Value
}

func (w *worker) reconcile(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
	w.started.Add(1)
	select {
	case <-time.After(w.takes):
		w.finished.Add(1)
		return controller.Result{}, nil
	case <-ctx.Done():
		w.cause.Store(context.Cause(ctx))
		return controller.Result{}, ctx.Err()
	}
}

func (w *worker) ended() error {
	err, _ := w.cause.Load().(error)
	return err
}

func TestC6ADrainLetsItemsInFlightFinishAndStartsNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		world, work := newWorld(t), worker{takes: 6 * time.Second}
		for i := range 100 {
			world.add(fmt.Sprintf("cm-%d", i))
		}
		m := newManager(controller.ManagerOptions{DrainTimeout: 10 * time.Second})
		controller.New(m, "c", world.informer(), work.reconcile, controller.Options{Workers: 4})
		r := start(t, t.Context(), m)
		time.Sleep(2 * time.Second)
		end := time.Now()
		if err := r.end(nil); err != nil || time.Since(end) != 4*time.Second {
			t.Errorf("Run returned %v after %v", err, time.Since(end))
		}
		report := m.Report()
		if work.started.Load() != 4 || work.finished.Load() != 4 || report.Finished != 4 || len(report.Cancelled) != 0 || report.Queued["c"] != 96 {
			t.Errorf("%d started, %d finished, report:\n%v", work.started.Load(), work.finished.Load(), report)
		}
	})
}

func TestC6ADrainThatTakesTooLongIsCutAndSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		world, work := newWorld(t), worker{takes: time.Hour}
		world.add("a")
		m := newManager(controller.ManagerOptions{DrainTimeout: 10 * time.Second})
		controller.New(m, "c", world.informer(), work.reconcile, controller.Options{Timeout: 2 * time.Hour})
		r := start(t, t.Context(), m)
		synctest.Wait()
		end := time.Now()
		if err := r.end(nil); err != nil || time.Since(end) != 10*time.Second {
			t.Errorf("Run returned %v after %v", err, time.Since(end))
		}
		for _, want := range []error{cause.DrainExpired, cause.Shutdown, context.Canceled} {
			if !errors.Is(work.ended(), want) {
				t.Errorf("the item ended with %v, which is not %q", work.ended(), want)
			}
		}
		if report := m.Report(); report.Finished != 0 || len(report.Cancelled) != 1 {
			t.Errorf("the report is\n%v", report)
		}
	})
}

func TestC6AControllerMayDrainWhereTheOthersCancelAndTheOtherWayRound(t *testing.T) {
	for name, test := range map[string]struct {
		manager, own time.Duration
		finishes     bool
	}{
		"only this one drains":         {0, 10 * time.Second, true},
		"this one is cancelled":        {10 * time.Second, -1, false},
		"this one has less time":       {10 * time.Second, time.Second, false},
		"this one does as the manager": {10 * time.Second, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				world, work := newWorld(t), worker{takes: 5 * time.Second}
				world.add("a")
				m := newManager(controller.ManagerOptions{DrainTimeout: test.manager})
				controller.New(m, "c", world.informer(), work.reconcile, controller.Options{DrainTimeout: test.own})
				r := start(t, t.Context(), m)
				synctest.Wait()
				if err := r.end(nil); err != nil || work.finished.Load() == 1 != test.finishes {
					t.Errorf("Run returned %v; finished: %d", err, work.finished.Load())
				}
			})
		})
	}
}

func TestC6TheDrainOfAControllerThatIsGoneIsNotWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := managerOf(&rest.Config{Host: "http://unused.invalid", Transport: untilCancelled{}}, controller.ManagerOptions{})
		client := kubernetes.NewForConfigOrDie(m.Config())
		world := newWorld(t)
		world.add("a")
		gone := controller.New(m, "drains", newWorld(t).informer(), nothing, controller.Options{DrainTimeout: 10 * time.Second})
		controller.New(m, "calls", world.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			_, err := client.CoreV1().ConfigMaps("default").Get(context.WithoutCancel(ctx), "x", metav1.GetOptions{})
			return controller.Result{}, err
		}, controller.Options{})
		r := start(t, t.Context(), m)
		synctest.Wait()
		gone.Stop()
		<-gone.Stopped()
		synctest.Wait()
		end := time.Now()
		if err := r.end(nil); err != nil || time.Since(end) != 0 {
			t.Errorf("Run returned %v after %v", err, time.Since(end))
		}
	})
}

func TestC6CancelDrainCutsADrainShort(t *testing.T) {
	for name, cancel := range map[string]func(*controller.Manager, func()){
		"during the drain": func(m *controller.Manager, end func()) { end(); time.Sleep(2 * time.Second); m.CancelDrain() },
		"before the end":   func(m *controller.Manager, end func()) { m.CancelDrain(); time.Sleep(2 * time.Second); end() },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				world, work := newWorld(t), worker{takes: time.Hour}
				world.add("a")
				m := newManager(controller.ManagerOptions{DrainTimeout: 10 * time.Second})
				controller.New(m, "c", world.informer(), work.reconcile, controller.Options{Timeout: 2 * time.Hour})
				r := start(t, t.Context(), m)
				synctest.Wait()
				began := time.Now()
				cancel(m, func() { r.stop(nil) })
				<-r.done
				if r.err != nil || time.Since(began) != 2*time.Second || !errors.Is(work.ended(), cause.Shutdown) || errors.Is(work.ended(), cause.DrainExpired) {
					t.Errorf("Run returned %v after %v, the item ended with %v", r.err, time.Since(began), work.ended())
				}
			})
		})
	}
}

// TestTheSecondSignalCutsADrainShort is in real time, because signals are.
func TestTheSecondSignalCutsADrainShort(t *testing.T) {
	world, work := newWorld(t), worker{takes: time.Hour}
	world.add("a")
	m := newManager(controller.ManagerOptions{DrainTimeout: time.Minute, ShutdownTimeout: 2 * time.Minute})
	controller.New(m, "c", world.informer(), work.reconcile, controller.Options{Timeout: 2 * time.Hour})
	ctx, stop := controller.SignalContext(t.Context(), m)
	defer stop()
	r := start(t, ctx, m)
	for work.started.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	interrupt := func() {
		if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
	}
	interrupt()
	<-ctx.Done()
	var signal *controller.SignalError
	if !errors.As(context.Cause(ctx), &signal) || signal.Signal != os.Interrupt || !errors.Is(context.Cause(ctx), context.Canceled) {
		t.Errorf("the root's cause is %v", context.Cause(ctx))
	}
	if work.ended() != nil {
		t.Error("the first signal cancelled the item")
	}
	interrupt()
	<-r.done
	if r.err != nil || !errors.Is(work.ended(), cause.Shutdown) {
		t.Errorf("Run returned %v, the item ended with %v", r.err, work.ended())
	}
}

func TestC7TheReportHasTheStackOfAStragglerOnRequest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		world := newWorld(t)
		world.add("a")
		m := newManager(controller.ManagerOptions{StragglerStacks: true})
		controller.New(m, "c", world.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			stuckHere(release)
			return controller.Result{}, nil
		}, controller.Options{})
		r := start(t, t.Context(), m)
		synctest.Wait()
		var shutdown *controller.ShutdownError
		if err := r.end(nil); !errors.As(err, &shutdown) || len(shutdown.Report.Stragglers) != 1 {
			t.Fatalf("Run returned %v", err)
		}
		if stack := shutdown.Report.Stragglers[0].Stack; !strings.Contains(stack, "stuckHere") {
			t.Errorf("the straggler's stack is %q", stack)
		}
		close(release)
	})
}

//go:noinline
func stuckHere(release chan struct{}) { <-release }
