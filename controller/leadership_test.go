// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/bubbletest"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// leading is a replica with one controller whose item waits for the end of its context.
func leading(t *testing.T, options controller.ManagerOptions, work *worker) *running {
	t.Helper()
	world := newWorld(t)
	world.add("cm")
	m := newManager(options)
	controller.New(m, "c", world.informer(), work.reconcile, controller.Options{Timeout: 2 * time.Hour})
	return start(t, t.Context(), m)
}

// ends are the ways in which a term ends, and how long after the deed it has.
var ends = map[string]struct {
	how    cause.TermEnd
	do     func(*leaseAPI)
	within time.Duration
}{
	"taken":    {cause.TermTaken, func(a *leaseAPI) { a.edit(func(s *coordinationv1.LeaseSpec) { s.HolderIdentity = ptr.To("b") }) }, 0},
	"released": {cause.TermReleased, func(a *leaseAPI) { a.edit(func(s *coordinationv1.LeaseSpec) { s.HolderIdentity = ptr.To("") }) }, 0},
	"edited": {cause.TermEdited, func(a *leaseAPI) {
		a.edit(func(s *coordinationv1.LeaseSpec) { s.LeaseDurationSeconds = ptr.To[int32](3) })
	}, 0},
	"deleted": {cause.TermDeleted, (*leaseAPI).remove, 0},
	"expired": {cause.TermExpired, func(a *leaseAPI) { a.setDown(true) }, 13500 * time.Millisecond},
	"taken, and no watch": {cause.TermTaken, func(a *leaseAPI) {
		a.unwatched()
		a.edit(func(s *coordinationv1.LeaseSpec) { s.HolderIdentity = ptr.To("b") })
	}, 2 * time.Second},
}

func TestC12C13EveryEndOfATermReachesTheItemsWithItsCauseAndAtOnce(t *testing.T) {
	for name, test := range ends {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				api, work := &leaseAPI{}, worker{takes: time.Hour}
				r := leading(t, controller.ManagerOptions{LeaderElection: elect(api, "a")}, &work)
				time.Sleep(5*time.Second + time.Millisecond)
				if _, leads := r.CurrentTerm(); !leads || work.started.Load() != 1 {
					t.Fatalf("it does not lead; %d items", work.started.Load())
				}
				test.do(api)
				time.Sleep(test.within)
				synctest.Wait()
				if work.ended() == nil {
					t.Fatalf("the item goes on %v after the lease was %s", test.within, name)
				}
				wantEnd(t, work.ended(), test.how)
				report, ok := r.LastTerm()
				if !ok || len(report.Cancelled) != 1 || !errors.Is(report.Cause, cause.LeadershipLost) {
					t.Errorf("the report of the term is %v", report)
				}
			})
		})
	}
}

func TestC12WorkRunsOnlyInATermAndItsContextHasTheTermAndTheRootsValues(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, world := &leaseAPI{}, newWorld(t)
		world.add("x")
		m := newManager(controller.ManagerOptions{LeaderElection: elect(api, "a")})
		check := func(ctx context.Context) {
			term, ok := controller.TermFrom(ctx)
			now, leads := m.CurrentTerm()
			if !ok || !leads || term != now || term.Holder != "a" || term.Lease.String() != "default/lease" || ctx.Value(rootKey{}) != "root" {
				t.Errorf("the term is %v (%v), the manager's %v (%v)", term, ok, now, leads)
			}
		}
		var ran atomic.Int32
		controller.New(m, "c", world.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			ran.Add(1)
			check(ctx)
			return controller.Result{}, nil
		}, controller.Options{})
		m.AddLeaderRunnable("r", func(ctx context.Context) error { ran.Add(1); check(ctx); <-ctx.Done(); return nil })
		m.AddRunnable("all", func(ctx context.Context) error {
			if term, ok := controller.TermFrom(ctx); ok {
				t.Errorf("what needs no term has %v", term)
			}
			return nil
		})
		api.setDown(true)
		start(t, context.WithValue(t.Context(), rootKey{}, "root"), m)
		time.Sleep(time.Minute)
		if ran.Load() != 0 {
			t.Error("work ran without a term")
		}
		api.setDown(false)
		time.Sleep(20 * time.Second)
		if ran.Load() != 2 {
			t.Errorf("%d ran in the term", ran.Load())
		}
	})
}

func TestC14AWriteOfATermThatIsOverIsRefusedAlsoOnADetachedContextAndReadsPass(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, world := &leaseAPI{}, newWorld(t)
		world.add("x")
		var sent []string
		config := &rest.Config{Host: "http://unused.invalid", Transport: apiServer(func(req *http.Request) (*http.Response, error) {
			sent = append(sent, req.Method)
			return nil, errors.New("not today")
		})}
		election, clock := electAt(api, "a")
		m := managerOf(config, controller.ManagerOptions{LeaderElection: election})
		client := kubernetes.NewForConfigOrDie(m.Config()).CoreV1().ConfigMaps("default")
		var refused, free error
		controller.New(m, "c", world.informer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			if sent != nil {
				return controller.Result{}, nil
			}
			_, _ = client.Update(ctx, cm, metav1.UpdateOptions{})
			clock.jump(14 * time.Second) // the machine was suspended; no timer knows
			ctx = context.WithoutCancel(ctx)
			_, refused = client.Update(ctx, cm, metav1.UpdateOptions{})
			_, free = client.Get(ctx, "x", metav1.GetOptions{})
			return controller.Result{}, nil
		}, controller.Options{})
		r := start(t, t.Context(), m)
		time.Sleep(time.Second)
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		wantEnd(t, refused, cause.TermExpired)
		if strings.Join(sent, " ") != "PUT GET" || free == nil || errors.Is(free, cause.LeadershipLost) {
			t.Errorf("sent: %v; the read returned %v", sent, free)
		}
	})
}

func TestC15TheLeaseIsHeldAndRenewedWhileWorkDrainsAndReleasedLast(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, work := &leaseAPI{}, worker{takes: 30 * time.Second}
		r := leading(t, controller.ManagerOptions{LeaderElection: elect(api, "a"), DrainTimeout: time.Minute, ShutdownTimeout: 2 * time.Minute}, &work)
		time.Sleep(5 * time.Second)
		before, end := api.renewed(), time.Now()
		r.stop(nil)
		time.Sleep(24 * time.Second)
		if holder, _ := api.holder(); holder != "a" || api.renewed()-before < 10 || work.ended() != nil {
			t.Errorf("while it drains %q holds the lease, %d renewals, the item: %v", holder, api.renewed()-before, work.ended())
		}
		<-r.done
		holder, released := api.holder()
		if r.err != nil || work.finished.Load() != 1 || holder != "" || released.Sub(end) != 25*time.Second {
			t.Errorf("Run returned %v, %d finished, held by %q, released after %v", r.err, work.finished.Load(), holder, released.Sub(end))
		}
	})
}

func TestC15LostLeadershipCutsADrain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, work := &leaseAPI{}, worker{takes: time.Hour}
		r := leading(t, controller.ManagerOptions{LeaderElection: elect(api, "a"), DrainTimeout: time.Minute, ShutdownTimeout: 2 * time.Minute}, &work)
		time.Sleep(5 * time.Second)
		r.stop(nil)
		time.Sleep(time.Second)
		end := time.Now()
		ends["taken"].do(api)
		<-r.done
		// The lease is watched for as long as work that needs it may run.
		if took := time.Since(end); took > 0 {
			t.Errorf("the drain went on for %v", took)
		}
		wantEnd(t, work.ended(), cause.TermTaken)
		if holder, _ := api.holder(); holder != "b" {
			t.Errorf("another's lease was released: %q holds it", holder)
		}
	})
}

func TestC15TheLeaseIsNotReleasedWithAStraggler(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, world, free := &leaseAPI{}, newWorld(t), make(chan struct{})
		world.add("x")
		m := newManager(controller.ManagerOptions{LeaderElection: elect(api, "a")})
		controller.New(m, "c", world.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			<-free
			return controller.Result{}, nil
		}, controller.Options{})
		r := start(t, t.Context(), m)
		time.Sleep(5 * time.Second)
		var shutdown *controller.ShutdownError
		if err := r.end(nil); !errors.As(err, &shutdown) {
			t.Errorf("Run returned %v", err)
		}
		renewals := api.renewed()
		time.Sleep(time.Minute)
		if holder, _ := api.holder(); holder != "a" || api.renewed() != renewals {
			t.Errorf("%q holds the lease, %d renewals after the end", holder, api.renewed()-renewals)
		}
		close(free)
	})
}

func TestC16AStandByIsReadyWarmAndLeadsInTheInstantOfTheRelease(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api := &leaseAPI{}
		work := [2]worker{{takes: time.Hour}, {takes: time.Hour}}
		var everywhere, leaders atomic.Int32
		var lists [2]atomic.Int32
		var replicas [2]*running
		for i := range replicas {
			world := newWorld(t)
			world.add("x")
			world.onList = func(context.Context) error { lists[i].Add(1); return nil }
			m := newManager(controller.ManagerOptions{LeaderElection: elect(api, string(rune('a'+i)))})
			controller.New(m, "leads", world.informer(), work[i].reconcile, controller.Options{Timeout: 2 * time.Hour})
			controller.New(m, "every", world.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
				everywhere.Add(1)
				return controller.Result{}, nil
			}, controller.Options{EveryReplica: true})
			m.AddRunnable("all", func(ctx context.Context) error { everywhere.Add(1); <-ctx.Done(); return nil })
			m.AddLeaderRunnable("one", func(ctx context.Context) error { leaders.Add(1); <-ctx.Done(); return nil })
			replicas[i] = start(t, t.Context(), m)
			time.Sleep(10 * time.Second)
		}
		if everywhere.Load() != 4 || leaders.Load() != 1 || work[1].started.Load() != 0 {
			t.Errorf("%d run everywhere, %d lead, the stand-by has started %d items", everywhere.Load(), leaders.Load(), work[1].started.Load())
		}
		if err := replicas[1].Ready(); err != nil {
			t.Errorf("the stand-by is not ready: %v", err)
		}
		warm, end := lists[1].Load(), time.Now()
		if err := replicas[0].end(nil); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if term, leads := replicas[1].CurrentTerm(); !leads || term.Number != 1 || !time.Now().Equal(end) || work[1].started.Load() != 1 {
			t.Errorf("after %v the stand-by leads: %v in %v, %d items", time.Since(end), leads, term, work[1].started.Load())
		}
		if leaders.Load() != 2 || lists[1].Load() != warm {
			t.Errorf("%d led, %d new lists and watches", leaders.Load(), lists[1].Load()-warm)
		}
	})
}

func TestC17AfterALossWithAHundredItemsInFlightItLeadsAgainAndReconcilesAll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, world := &leaseAPI{}, newWorld(t)
		for i := range 100 {
			world.add(fmt.Sprintf("cm-%d", i))
		}
		var lists, cancelled, busy atomic.Int32
		world.onList = func(context.Context) error { lists.Add(1); return nil }
		m := newManager(controller.ManagerOptions{LeaderElection: elect(api, "a")})
		c := controller.New(m, "c", world.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			if term, _ := controller.TermFrom(ctx); term.Number > 0 {
				if busy.Load() > 0 {
					t.Error("the next term began before the last one's work had returned")
				}
				return controller.Result{}, nil
			}
			busy.Add(1)
			defer busy.Add(-1)
			<-ctx.Done()
			if errors.Is(context.Cause(ctx), cause.LeadershipLost) {
				cancelled.Add(1)
			}
			time.Sleep(3 * time.Second)
			return controller.Result{}, ctx.Err()
		}, controller.Options{Workers: 100})
		r := start(t, t.Context(), m)
		time.Sleep(5 * time.Second)
		warm := lists.Load()
		ends["released"].do(api)
		time.Sleep(2 * time.Second)
		if _, leads := r.CurrentTerm(); leads {
			t.Error("it leads while work of the last term is running")
		}
		time.Sleep(10 * time.Second)
		stats, report := c.Stats(), must(r.LastTerm())
		if cancelled.Load() != 100 || stats.Cancelled["leadership_lost"] != 100 || stats.Failures() != 0 || stats.Done != 100 {
			t.Errorf("%d cancelled; %+v", cancelled.Load(), stats)
		}
		if len(report.Cancelled) != 100 || report.Finished != 0 || report.Term.Number != 0 || len(report.Stragglers) != 0 || report.Took != 3*time.Second {
			t.Errorf("the report is %v", report)
		}
		var ended *cause.TermEnded
		if !errors.As(report.Cause, &ended) || report.Length != ended.At.Sub(report.Term.Began) {
			t.Errorf("the report says %v of a term that began at %v, and ended with %+v", report.Length, report.Term.Began, ended)
		}
		if term, leads := r.CurrentTerm(); !leads || term.Number != 1 || lists.Load() != warm {
			t.Errorf("it leads: %v in %v; %d new lists and watches", leads, term, lists.Load()-warm)
		}
		if strings.Contains(r.log.String(), "Reconcile failed") {
			t.Error("cancelled items were logged as failures")
		}
		if err := r.end(nil); err != nil || len(r.Report().Cancelled) != 0 {
			t.Errorf("Run returned %v, %v", err, r.Report())
		}
	})
}

func must(report report.Term, ok bool) report.Term {
	if !ok {
		panic("there is no report")
	}
	return report
}

func TestC17AnEventIsHeardOnceInTheSecondTerm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, world := &leaseAPI{}, newWorld(t)
		m := newManager(controller.ManagerOptions{LeaderElection: elect(api, "a")})
		var heard atomic.Int32
		controller.New(m, "c", world.informer(), nothing, controller.Options{},
			controller.WithFilter(func(ctx context.Context, _ controller.Event[*corev1.ConfigMap]) bool {
				if ctx.Err() == nil {
					heard.Add(1)
				}
				return true
			}))
		r := start(t, t.Context(), m)
		time.Sleep(5 * time.Second)
		before := bubbletest.Goroutines()
		ends["released"].do(api)
		time.Sleep(10 * time.Second)
		if term, leads := r.CurrentTerm(); !leads || term.Number == 0 {
			t.Fatalf("leads: %v, in %v", leads, term)
		}
		if after := bubbletest.Goroutines(); after > before {
			t.Errorf("%d goroutines in the second term, %d in the first", after, before)
		}
		world.add("x")
		time.Sleep(time.Second)
		if heard.Load() != 1 {
			t.Errorf("heard %d times", heard.Load())
		}
	})
}

func TestC17ExitOnLossIsAnErrorThatSaysSoAndNoCancellation(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, work := &leaseAPI{}, worker{takes: time.Hour}
		election := elect(api, "a")
		election.ExitOnLoss = true
		r := leading(t, controller.ManagerOptions{LeaderElection: election}, &work)
		time.Sleep(5 * time.Second)
		ends["taken"].do(api)
		<-r.done
		var ended *cause.TermEnded
		if !errors.Is(r.err, cause.LeadershipLost) || errors.Is(r.err, context.Canceled) || !errors.As(r.err, &ended) || ended.How != cause.TermTaken {
			t.Errorf("Run returned %v", r.err)
		}
	})
}

func TestC22TwoElectionsInOneProcessDoNotSeeEachOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var apis [2]*leaseAPI
		var work [2]worker
		var replicas [2]*running
		for i := range apis {
			apis[i], work[i].takes = &leaseAPI{}, time.Hour
			replicas[i] = leading(t, controller.ManagerOptions{LeaderElection: elect(apis[i], "a")}, &work[i])
		}
		time.Sleep(5 * time.Second)
		ends["taken"].do(apis[0])
		synctest.Wait()
		_, second := replicas[1].CurrentTerm()
		if _, first := replicas[0].CurrentTerm(); first || !second || work[1].ended() != nil {
			t.Errorf("the first leads: %v, the second: %v", first, second)
		}
	})
}
