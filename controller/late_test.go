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

// TestC29SourcesThatComeAndGoLeaveNothing in a controller that goes on, nor do namespaces.
func TestC29SourcesThatComeAndGoLeaveNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		all := &worlds{t, map[string]*world{}}
		namespaces := controller.NewNamespaces("blue")
		m := newManager(controller.ManagerOptions{})
		c := controller.New(m, "c", controller.InNamespaces(namespaces, controller.InformerOptions{}, all.informer), nothing, controller.Options{})
		start(t, t.Context(), m)
		synctest.Wait()
		before := m.Known()
		for i := range 50 {
			controller.Owns(c, newWorld(t).informer()).Stop()
			c.AddSource("never", func(context.Context, controller.EnqueueFunc) error { return nil }).Stop()
			namespaces.Set("blue", strings.Repeat("x", i+1))
		}
		namespaces.Set("blue")
		synctest.Wait()
		if n := c.KnownSources(); n != 1 || m.Known() != before {
			t.Errorf("%d sources are known, and %d parts instead of %d", n, m.Known(), before)
		}
	})
}

// TestC29ALateControllerWorksInTheCurrentTermAndInLaterOnes.
func TestC29ALateControllerWorksInTheCurrentTermAndInLaterOnes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, first := &leaseAPI{}, worker{takes: time.Hour}
		r := leading(t, controller.ManagerOptions{LeaderElection: elect(api, "a")}, &first)
		time.Sleep(5 * time.Second)
		w := newWorld(t)
		w.add("a")
		late := worker{takes: time.Hour}
		var term controller.Term
		var told int
		c := controller.New(r.Manager, "late", w.informer(), late.reconcile, controller.Options{Timeout: 2 * time.Hour})
		r.AddLeaderRunnable("told", func(ctx context.Context) error {
			term, _ = controller.TermFrom(ctx)
			told++
			<-ctx.Done()
			return nil
		})
		time.Sleep(time.Second)
		synctest.Wait()
		if late.started.Load() != 1 || told != 1 || term.Lease.Name == "" {
			t.Fatalf("in the current term it started %d items, and %d runnables in %v", late.started.Load(), told, term)
		}
		api.remove()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if late.started.Load() != 2 || first.started.Load() != 2 || told != 2 {
			t.Errorf("in the next term it started %d and %d items, %d runnables", first.started.Load(), late.started.Load(), told)
		}
		c.Stop()
		<-c.Stopped()
		if err := late.ended(); !errors.Is(err, cause.Stopped) || first.ended() == nil {
			t.Errorf("it ended because of %v", err)
		}
		api.remove()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if late.started.Load() != 2 || first.started.Load() != 3 {
			t.Errorf("after its end it started %d items, and the other %d", late.started.Load(), first.started.Load())
		}
	})
}

// TestC29AControllerThatIsStoppedDoesNotDrain, and its items are in no report of the manager's end.
func TestC29AControllerThatIsStoppedDoesNotDrain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, work := newWorld(t), worker{takes: time.Hour}
		w.add("a")
		m := newManager(controller.ManagerOptions{DrainTimeout: 10 * time.Second})
		c := controller.New(m, "c", w.informer(), work.reconcile, controller.Options{Timeout: 2 * time.Hour})
		r := start(t, t.Context(), m)
		synctest.Wait()
		began := time.Now()
		c.Stop()
		<-c.Stopped()
		if took := time.Since(began); took != 0 || cause.Of(work.ended()) != cause.Stopped {
			t.Errorf("it took %v, and the item ended because of %v", took, work.ended())
		}
		if err := r.end(nil); err != nil || len(m.Report().Cancelled) != 0 {
			t.Errorf("Run returned %v, with the report\n%v", err, m.Report())
		}
	})
}

// TestC8AServerServesUntilAllElseHasReturned, so that items that drain can call it.
func TestC8AServerServesUntilAllElseHasReturned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := newManager(controller.ManagerOptions{DrainTimeout: 10 * time.Second})
		var served, returned, serverEnded time.Time
		calls := make(chan struct{})
		m.AddServer("webhook", func(ctx context.Context) error {
			for {
				select {
				case <-calls:
					served = time.Now()
				case <-ctx.Done():
					serverEnded = time.Now()
					if !errors.Is(context.Cause(ctx), cause.Shutdown) {
						t.Errorf("the server ended because of %v", context.Cause(ctx))
					}
					return nil
				}
			}
		})
		m.AddRunnable("slow", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(5 * time.Second)
			returned = time.Now()
			return nil
		})
		controller.New(m, "c", w.informer(), func(context.Context, *configMapType) (controller.Result, error) {
			time.Sleep(3 * time.Second)
			calls <- struct{}{}
			return controller.Result{}, nil
		}, controller.Options{})
		r := start(t, t.Context(), m)
		time.Sleep(time.Second)
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		if served.IsZero() || serverEnded.Before(returned) {
			t.Errorf("served at %v; the runnable returned at %v, the server ended at %v", served, returned, serverEnded)
		}
	})
}

func TestTwoRunnablesOfOneNameAreAMistake(t *testing.T) {
	m := newManager(controller.ManagerOptions{})
	run := func(context.Context) error { t.Error("it was run"); return nil }
	m.AddRunnable("twice", run)
	m.AddServer("twice", run)
	if err := m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), `there are two runnables named "twice"`) {
		t.Errorf("Run returned %v", err)
	}
}

// TestAControllerWaitsForTheCachesThatTheProgramReads, so that no lister is empty in its reconciles.
func TestAControllerWaitsForTheCachesThatTheProgramReads(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, slow := newWorld(t), newWorld(t)
		w.add("a")
		slow.add("b")
		slow.onList = func(context.Context) error { time.Sleep(5 * time.Second); return nil }
		read := slow.informer()
		m := newManager(controller.ManagerOptions{})
		m.AddInformer(read, controller.InformerOptions{})
		found := -1
		controller.New(m, "c", w.informer(), func(context.Context, *configMapType) (controller.Result, error) {
			found = len(read.GetStore().ListKeys())
			return controller.Result{}, nil
		}, controller.Options{})
		start(t, t.Context(), m)
		time.Sleep(time.Minute)
		synctest.Wait()
		if found != 1 {
			t.Errorf("the reconcile found %d objects", found)
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

// adding is a context that calls add when it is asked whether it has ended.
type adding struct {
	context.Context
	add func()
}

func (a adding) Err() error {
	a.add()
	return a.Context.Err()
}

// TestC29WhatIsAddedWhileRunStartsRunsOnce and not both as a part of the plan and beside it.
func TestC29WhatIsAddedWhileRunStartsRunsOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := newManager(controller.ManagerOptions{})
		var added, runs atomic.Int32
		var c *controller.Controller[*configMapType]
		ctx, end := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- m.Run(adding{ctx, func() {
				if !m.Begun() || added.Add(1) > 1 {
					return
				}
				c = controller.New(m, "c", w.informer(), nothing, controller.Options{})
				m.AddRunnable("r", func(context.Context) error { runs.Add(1); return nil })
			}})
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		if c == nil || c.Stats().Done != 1 || runs.Load() != 1 || m.Ready() != nil {
			t.Errorf("the runnable ran %d times; %v", runs.Load(), m.Ready())
		}
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
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

func TestMainReturnsTheErrorOfTheRun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		broken := errors.New("no database")
		err := controller.RunMain(t.Context(), unused(), controller.ManagerOptions{}, func(m *controller.Manager) error {
			m.AddRunnable("r", func(context.Context) error { return broken })
			return nil
		})
		if !errors.Is(err, broken) {
			t.Errorf("it returned %v", err)
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
