// SPDX-License-Identifier: Apache-2.0

// Package work keeps account of what a manager is running. Each controller, informer, runnable and
// item is a unit, which its context carries into every API call made on its behalf. From the units
// the shutdown report knows what did not stop, and the transport knows whose call it sends.
package work

import (
	"context"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/tree"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// Unit is one piece of work, from its start until it has returned. Its exported fields do not
// change once it has started.
type Unit struct {
	Kind    report.Kind
	Owner   string            // the name of the controller, informer or runnable; the Lease, for leadership
	Key     reconcile.Request // the object; set for an item only
	Start   time.Time
	Term    *term.Term // the term that its writes need; nil if they need none
	Attempt int        // for an item: 1 for the first of a chain of retries
	UID     types.UID  // of the object that an item reconciles; empty if it is not in the cache
	Streams *Streams   // of an informer, or of several; nil for all else

	MetricsName string // of an item's controller
	Detail      any    // an item's *observe.Item; nil for all else

	goroutine atomic.Uint64 // the number of its goroutine; 0 unless stacks are wanted
	registry  atomic.Value  // the *Registry that it was added to; nil if it was not
	ledger
	budget
}

// SetGoroutine notes the number of the goroutine that does the work: see [GoroutineID].
func (u *Unit) SetGoroutine(id uint64) { u.goroutine.Store(id) }

// Describe returns the unit as a report shows it, with the given calls.
func (u *Unit) Describe(calls []Outstanding) report.Work {
	now := time.Now()
	w := report.Work{Kind: u.Kind, Owner: u.Owner, Item: u.Key, Age: now.Sub(u.Start)}
	for _, c := range calls {
		call := c.Call
		call.Age = now.Sub(c.Start)
		w.Calls = append(w.Calls, call)
	}
	return w
}

type contextKey struct{}

// NewContext returns a context whose API calls are the unit's.
func NewContext(ctx context.Context, u *Unit) context.Context {
	return context.WithValue(ctx, contextKey{}, u)
}

// From returns the unit on whose behalf ctx runs, or nil.
func From(ctx context.Context) *Unit {
	u, _ := ctx.Value(contextKey{}).(*Unit)
	return u
}

// Limits is how long an item, and each of its calls to external systems, may take. All items of a
// controller share it.
type Limits struct {
	Item     time.Duration
	Reserve  time.Duration // the part of Item by which the reconcile function's context ends earlier
	External time.Duration // one call to something that is not the API server; zero or less: no limit
}

// budget is an item's time. It is empty for other units.
type budget struct {
	limits *Limits
	reconcileContext
}

// SetLimits gives an item its time, from its start on. It must be called before the unit is added to a [Registry].
func (u *Unit) SetLimits(limits *Limits) { u.limits = limits }

// due returns the end of an item's whole time.
func (u *Unit) due() time.Time { return u.Start.Add(u.limits.Item) }

// WithDeadline returns the context for the reconcile function of an item. ctx is the item's own
// context, which ends for every reason but the time. It is called once, and Returned must follow.
func (u *Unit) WithDeadline(ctx context.Context) context.Context {
	u.begin(ctx, (*item)(u))
	return &u.reconcileContext
}

// item is a unit as the item that a reconcile function is called for.
type item Unit

// Error names the item.
func (i *item) Error() string { return "the item " + i.Key.String() + " of " + i.Owner }

func (i *item) limit() time.Time {
	end, _ := (*Unit)(i).Ends()
	return end
}

// Overdue reports whether an item's whole time was over at a moment, and by more than grace.
func (u *Unit) Overdue(now time.Time, grace time.Duration) bool {
	return u.limits != nil && now.After(u.due().Add(grace))
}

// Ends returns when the time of an item's reconcile function is over, and when the item's whole time is. Both
// are zero for other units.
func (u *Unit) Ends() (reconcile, whole time.Time) {
	if u.limits == nil {
		return time.Time{}, time.Time{}
	}
	whole = u.due()
	return whole.Add(-u.limits.Reserve), whole
}

// ReserveContext returns a context with the values of ctx that ends with the item's whole time, or
// in the instant in which the item is cancelled or its reconcile function returns. It has ended
// already if the item has.
func (u *Unit) ReserveContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if u.limits == nil {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(tree.WithValues(u.withoutDeadline(), ctx), u.due(), cause.ItemTimeout)
}

// ExternalContext limits ctx to the time for one call to something that is not the API server.
func (u *Unit) ExternalContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if u.limits == nil || u.limits.External <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, u.limits.External, cause.CallTimeout)
}
