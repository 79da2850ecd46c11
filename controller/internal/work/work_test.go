// SPDX-License-Identifier: Apache-2.0

package work_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

var errAbove = errors.New("the context above ended")

// item starts an item with a minute, of which ten seconds are reserved.
func item(t *testing.T) (ctx context.Context, unit *work.Unit, above context.CancelCauseFunc) {
	parent, cancel := context.WithCancelCause(t.Context())
	t.Cleanup(func() { cancel(nil) })
	unit = &work.Unit{Kind: report.Item, Start: time.Now()}
	unit.SetLimits(&work.Limits{Item: time.Minute, Reserve: 10 * time.Second, External: time.Second})
	t.Cleanup(unit.Returned)
	return unit.WithDeadline(work.NewContext(parent, unit)), unit, cancel
}

func TestC9AnItemsContextEndsAReserveBeforeTheItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, unit, _ := item(t)
		time.Sleep(50*time.Second - 1)
		if ctx.Err() != nil || work.From(ctx) != unit {
			t.Errorf("too early: %v", ctx.Err())
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if !errors.Is(context.Cause(ctx), cause.ItemTimeout) || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t.Errorf("it ended with %v, because of %v", ctx.Err(), context.Cause(ctx))
		}
		reserve, cancel := unit.ReserveContext(ctx)
		defer cancel()
		if deadline, _ := reserve.Deadline(); reserve.Err() != nil || time.Until(deadline) != 10*time.Second || work.From(reserve) != unit {
			t.Errorf("the reserve: %v, %v left", reserve.Err(), time.Until(deadline))
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if !errors.Is(context.Cause(reserve), cause.ItemTimeout) {
			t.Errorf("the reserve ended because of %v", context.Cause(reserve))
		}
		if unit.Overdue(time.Now(), time.Second) || !unit.Overdue(time.Now().Add(2*time.Second), time.Second) {
			t.Error("it is not overdue when its grace is over")
		}
	})
}

// TestC9AReserveOfAnItemThatWasCancelledIsNeverAlive looks at once: a write on it would be late.
func TestC9AReserveOfAnItemThatWasCancelledIsNeverAlive(t *testing.T) {
	for range 200 {
		ctx, unit, above := item(t)
		before, cancelBefore := unit.ReserveContext(ctx)
		above(errAbove)
		after, cancelAfter := unit.ReserveContext(ctx)
		for name, reserve := range map[string]context.Context{"made before": before, "made after": after} {
			if reserve.Err() == nil || !errors.Is(context.Cause(reserve), errAbove) {
				t.Fatalf("%s, it is alive: %v, %v", name, reserve.Err(), context.Cause(reserve))
			}
		}
		cancelBefore()
		cancelAfter()
	}
}

func TestC9AReserveHasTheValuesOfTheContextItIsMadeFrom(t *testing.T) {
	type key struct{}
	ctx, unit, _ := item(t)
	reserve, cancel := unit.ReserveContext(context.WithValue(ctx, key{}, "the user's"))
	defer cancel()
	if reserve.Value(key{}) != "the user's" || work.From(reserve) != unit {
		t.Error("values are lost")
	}
}

func TestC9AnExternalCallHasATimeOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, unit, _ := item(t)
		external, cancel := unit.ExternalContext(ctx)
		defer cancel()
		time.Sleep(time.Second)
		synctest.Wait()
		if !errors.Is(context.Cause(external), cause.CallTimeout) || ctx.Err() != nil {
			t.Errorf("it ended because of %v, and the item: %v", context.Cause(external), ctx.Err())
		}
	})
}

func TestOutsideAnItemThereIsNoReserve(t *testing.T) {
	unit := &work.Unit{Kind: report.Runnable}
	ctx, end := context.WithCancelCause(t.Context())
	reserve, cancel := unit.ReserveContext(ctx)
	defer cancel()
	end(errAbove)
	if !errors.Is(context.Cause(reserve), errAbove) || unit.Overdue(time.Now(), 0) {
		t.Errorf("it ended because of %v", context.Cause(reserve))
	}
}

func TestAUnitKnowsItsCallsAndWhatTheyCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unit := &work.Unit{Kind: report.Item, Owner: "c", Key: reconcile.Request{Namespace: "n", Name: "a"}, Start: time.Now()}
		get := &work.Outstanding{Call: report.Call{Verb: "get", Resource: "pods", Namespace: "n", Name: "p"}, Start: time.Now()}
		version := &work.Outstanding{Call: report.Call{Verb: "get", Path: "/version"}, Start: time.Now()}
		put := &work.Outstanding{Call: report.Call{Verb: "update", Resource: "deployments.apps", Namespace: "n", Name: "d"}, Start: time.Now()}
		for _, call := range []*work.Outstanding{get, version, put} {
			unit.CallBegan(call)
		}
		unit.CallRepeated(put)
		unit.CallWaits(put, true)
		time.Sleep(2 * time.Second)
		unit.CallEnded(get, work.Traffic{}, true)
		unit.CallEnded(get, work.Traffic{}, false) // only the first counts
		if cost := unit.Cost(); cost != (work.Cost{Calls: 4, Writes: 2}) {
			t.Errorf("%+v", cost)
		}
		const want = "item c n/a, running for 2s, in get /version for 2s and " +
			"update deployments.apps n/d (waiting for room on a connection) for 2s"
		if got := unit.Describe(unit.Outstanding()).String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got := unit.Describe(unit.Interrupted()); len(got.Calls) != 1 || got.Calls[0].Name != "p" {
			t.Errorf("interrupted: %v", got)
		}
	})
}

func TestOnlyWhatHoldsOthersUpIsAStraggler(t *testing.T) {
	live := []*work.Unit{
		{Kind: report.Controller, Owner: "stuck"}, {Kind: report.Item, Owner: "stuck"},
		{Kind: report.Controller, Owner: "other"}, {Kind: report.Runnable, Owner: "r"},
	}
	var got []string
	for _, w := range work.Stragglers(live, false) {
		got = append(got, string(w.Kind)+" "+w.Owner)
	}
	if len(got) != 3 || got[0] != "item stuck" || got[1] != "controller other" || got[2] != "runnable r" {
		t.Errorf("%v", got)
	}
}

// TestC21OfAContextIsSaidWhatIsCertain derives and detaches contexts from those of an item and of a runnable.
func TestC21OfAContextIsSaidWhatIsCertain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, unit, _ := item(t)
		within := func(ctx context.Context, d time.Duration) context.Context {
			ctx, cancel := context.WithTimeout(ctx, d)
			t.Cleanup(cancel)
			return ctx
		}
		reserve, cancel := unit.ReserveContext(ctx)
		defer cancel()
		type value struct{}
		kept := within(context.WithoutCancel(ctx), time.Second)
		derived := within(ctx, time.Second)
		for name, test := range map[string]struct {
			ctx  context.Context
			want work.Descent
		}{
			"itself": {ctx, work.Descends}, "a value": {context.WithValue(ctx, value{}, 1), work.Descends},
			"derived": {derived, work.Unclear}, "with more time": {within(ctx, time.Hour), work.Unclear},
			"the reserve": {reserve, work.Unclear}, "detached": {context.WithoutCancel(ctx), work.Detached},
			"detached, with less time": {kept, work.Unclear}, "with more": {within(context.WithoutCancel(ctx), time.Hour), work.Detached},
		} {
			if got := unit.Descent(test.ctx); got != test.want {
				t.Errorf("%s: %v, want %v", name, got, test.want)
			}
		}
		unit.Returned()
		if kept, derived := unit.Descent(kept), unit.Descent(derived); kept != work.Detached || derived != work.Unclear {
			t.Errorf("after the return: detached %v, derived %v", kept, derived)
		}
		runnable := &work.Unit{Kind: report.Runnable}
		ctx = work.NewContext(t.Context(), runnable)
		if own, detached := runnable.Descent(ctx), runnable.Descent(context.WithoutCancel(ctx)); own != work.Descends || detached != work.Detached {
			t.Errorf("of a runnable: %v, %v", own, detached)
		}
	})
}
