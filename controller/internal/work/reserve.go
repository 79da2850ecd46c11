package work

import (
	"context"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// Limits is how long an item, and each call that it makes, may take. It is the same for all items of a
// controller.
type Limits struct {
	Item     time.Duration
	Reserve  time.Duration // of Item: what the reconcile function's context is short of
	External time.Duration // a call to something that is not the API server
}

// SetDeadline gives an item its time, and returns the context for the reconcile function. ctx is the
// item's own context, which ends for every reason but the time. EndContext must follow.
func (u *Unit) SetDeadline(ctx context.Context, limits *Limits) context.Context {
	u.base, u.limits = ctx, limits
	u.ctx.Context, u.ctx.unit, u.ctx.due = ctx, u, u.Start.Add(limits.Item-limits.Reserve)
	return &u.ctx
}

// EndContext ends the context that SetDeadline returned.
func (u *Unit) EndContext() { u.ctx.end() }

// Base is the context that the item has beside its time: it ends for every reason but that.
func (u *Unit) Base() context.Context { return u.base }

// Reserve returns a context with the values of ctx that ends only with the item's whole time, or when
// the item is cancelled.
func (u *Unit) Reserve(ctx context.Context) (context.Context, context.CancelFunc) {
	if u.limits == nil {
		return context.WithCancel(ctx)
	}
	timed, cancelTimed := context.WithDeadlineCause(context.WithoutCancel(ctx), u.Start.Add(u.limits.Item), cause.ItemTimeout)
	reserve, cancel := context.WithCancelCause(timed)
	stop := context.AfterFunc(u.base, func() { cancel(context.Cause(u.base)) })
	return reserve, func() {
		stop()
		cancel(context.Canceled)
		cancelTimed()
	}
}

// External limits ctx to the time for one call to something that is not the API server.
func (u *Unit) External(ctx context.Context) (context.Context, context.CancelFunc) {
	if u.limits == nil || u.limits.External <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, u.limits.External, cause.CallTimeout)
}
