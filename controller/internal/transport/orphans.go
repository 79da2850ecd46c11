// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// orphans is the calls that belong to no work of the manager. They have contexts from outside, which
// cannot end with a reconcile or a term, because nothing says for which they are made: they end with
// the manager. Or they have contexts of reconciles that have returned.
type orphans struct {
	observers observe.Observers
	units     *work.Registry          // of the manager; nil if any unit is taken for the manager's
	running   atomic.Pointer[running] // nil before the manager runs
	lists     atomic.Bool             // there was a list or watch from outside

	mu    sync.Mutex
	known map[line]bool
	found []report.Orphan // the first of each line
}

// running is a run of the manager. It holds contexts, because the calls bring none.
type running struct {
	root  context.Context //ctxvet:ok ctxfield: has the logger for what is told of orphans
	until context.Context // ends all orphans
}

// line is a line of code that makes orphans of a kind.
type line struct {
	kind report.OrphanKind
	at   string
}

// descent returns how a call's context depends on the manager. unit is the context's. A context of
// another manager's work is accounted for there, but does not end with this one.
func (o *orphans) descent(ctx context.Context, unit *work.Unit) work.Descent {
	if unit == nil {
		return work.Detached
	}
	descent := unit.Descent(ctx)
	if descent == work.Descends && o.units != nil && !o.units.MayHave(unit) {
		return work.Unclear
	}
	return descent
}

// within returns a context that ends when ctx does, and when all orphans do. done releases it. unit is
// the context's. An item's context ends in the same instant as the orphans, but on another goroutine:
// its calls must not return before that, or the reconcile would go on with a context that is alive.
func (o *orphans) within(ctx context.Context, unit *work.Unit) (both context.Context, done func()) {
	run := o.running.Load()
	if run == nil {
		return ctx, func() {}
	}
	var item <-chan struct{}
	if unit != nil && (o.units == nil || o.units.MayHave(unit)) {
		item = unit.ReconcileDone()
	}
	both, cancel := context.WithCancelCause(ctx)
	end := func() { cancel(context.Cause(run.until)) }
	stop := context.AfterFunc(run.until, func() {
		if item != nil {
			select {
			case <-item:
			case <-both.Done():
			}
		}
		end()
	})
	if run.until.Err() != nil && isClosed(item) {
		end() // now, and not when the goroutine of AfterFunc runs
	}
	return both, func() {
		stop()
		cancel(nil)
	}
}

// isClosed reports whether a channel is closed, or nil.
func isClosed(c <-chan struct{}) bool {
	if c == nil {
		return true
	}
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// wait returns the context on which a call waits for the rate limiter, as within does. If it has ended,
// the call will come no further, and so it is told of now, although not much is known of it. Calls that
// name no work are left out: after the end they may be anybody's.
func (o *orphans) wait(ctx context.Context) (both context.Context, done func()) {
	unit := work.From(ctx)
	descent := o.descent(ctx, unit)
	both, done = ctx, func() {}
	if descent != work.Descends {
		both, done = o.within(ctx, unit)
	}
	if both.Err() == nil {
		return both, done
	}
	if run := o.running.Load(); run != nil && unit != nil && descent == work.Detached {
		o.tell(run, report.OrphanOutside, &report.Call{}, unit, "")
	} else {
		o.ended(both, &report.Call{}, "")
	}
	return both, done
}

// ended looks at a call whose context has ended: the reason may be that a reconcile has returned. at is
// the line that made it; empty for that of this goroutine.
func (o *orphans) ended(ctx context.Context, call *report.Call, at string) {
	if o == nil || ctx.Err() == nil || !errors.Is(context.Cause(ctx), cause.Returned) {
		return
	}
	if run, unit := o.running.Load(), work.From(ctx); run != nil && unit != nil {
		o.tell(run, report.OrphanReturned, call, unit, at)
	}
}

// tell tells of an orphan.
func (o *orphans) tell(run *running, kind report.OrphanKind, call *report.Call, unit *work.Unit, at string) {
	orphan := report.Orphan{Kind: kind, At: at, Call: *call}
	if at == "" {
		orphan.At = callSite()
	}
	if unit != nil {
		orphan.Work = report.Work{Kind: unit.Kind, Owner: unit.Owner, Item: unit.Key}
	}
	o.observers.CallOrphaned(run.root, &orphan, o.isNew(&orphan))
}

// isNew keeps an orphan that is the first of its line, and reports whether it is.
func (o *orphans) isNew(orphan *report.Orphan) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	at := line{orphan.Kind, orphan.At}
	if o.known[at] {
		return false
	}
	if o.known == nil {
		o.known = map[line]bool{}
	}
	o.known[at] = true
	o.found = append(o.found, *orphan)
	return true
}

// all returns the first orphan of each line.
func (o *orphans) all() []report.Orphan {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.found)
}
