// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// ErrDrainCutShort is the detail of the cause with which a drain ends that was told to.
var ErrDrainCutShort = errors.New("the drain was cut short")

// Drain returns a context with the values of ctx that outlives it by grace, so that items in flight
// may finish. It ends earlier
//   - with the cause of lost, in the same instant as lost, if lost is not nil: lost leadership
//     never drains;
//   - when hurry is closed and ctx has ended, in whichever order. If hurry was closed before the
//     root of the tree ends, it ends in the same instant as the root.
//
// With a grace of zero or less it is ctx itself. release ends it, and must be called when nothing
// runs on it any more.
func Drain(
	ctx, lost context.Context, hurry <-chan struct{}, grace time.Duration,
) (draining context.Context, release func()) {
	if grace <= 0 {
		return ctx, func() {}
	}
	draining, _, release = drainFor(ctx, lost, hurry, func() time.Duration { return grace })
	return draining, release
}

// DrainForAll is Drain without lost, for a grace that is known only when ctx ends: the longest of all
// drains. grace is called then, under the lock of the tree: it must return at once. ctx is a root. Whoever
// sees that another drain of the root has ended, because there was no time, because it was told to or
// because its time of the same length is over, finds that Err of this one says so too.
func DrainForAll(
	ctx context.Context, hurry <-chan struct{}, grace func() time.Duration,
) (draining context.Context, release func()) {
	draining, d, release := drainFor(ctx, nil, hurry, grace)
	return &asking{draining, func() { d.ask(ctx) }}, release
}

// asking is a context that looks at what ends it before it says that it lives, because the goroutine
// that ends it may be late.
type asking struct {
	context.Context
	ask func()
}

// Err returns why the context has ended.
func (a *asking) Err() error {
	if err := a.Context.Err(); err != nil {
		return err
	}
	a.ask()
	return a.Context.Err()
}

func drainFor(
	ctx, lost context.Context, hurry <-chan struct{}, grace func() time.Duration,
) (draining context.Context, d *drain, release func()) {
	above := context.WithoutCancel(ctx)
	if lost != nil {
		above = WithValues(lost, ctx)
	}
	draining, cancel := context.WithCancelCause(above)
	d = &drain{hurry: hurry, grace: grace, cancel: cancel, done: make(chan struct{})}
	forget := atEnd(ctx, d.rootEnds)
	if ctx.Err() != nil {
		d.rootEnds(context.Cause(ctx)) // now, and not when the goroutine runs
	}
	waited := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(waited)
		cancel(d.wait(context.Cause(ctx)))
	})
	return draining, d, func() {
		forget()
		close(d.done)
		if !stop() {
			<-waited
		}
		cancel(cmp.Or(context.Cause(ctx), error(cause.Shutdown)))
	}
}

// drain is the end of a context that Drain has returned.
type drain struct {
	hurry  <-chan struct{}
	grace  func() time.Duration
	cancel context.CancelCauseFunc
	done   chan struct{}             // is closed when the drain is released
	limit  atomic.Pointer[time.Time] // is set when the root ends
}

// rootEnds ends the drain at once if there is no time for it.
func (d *drain) rootEnds(why error) {
	select {
	case <-d.hurry:
		d.cancel(cutShort(why))
	default:
		grace := d.grace()
		if grace <= 0 {
			d.cancel(why)
		}
		limit := time.Now().Add(grace)
		d.limit.Store(&limit)
	}
}

// ask ends the drain if it is time.
func (d *drain) ask(ctx context.Context) {
	settle(ctx)
	if ctx.Err() == nil {
		return
	}
	select {
	case <-d.hurry:
		d.cancel(cutShort(context.Cause(ctx)))
	default:
		if limit := d.limit.Load(); limit != nil && !time.Now().Before(*limit) {
			d.cancel(cause.DrainExpired.With(context.Cause(ctx)))
		}
	}
}

// wait waits for the end of a drain that has begun, and returns its cause.
func (d *drain) wait(why error) error {
	grace := d.grace()
	if grace <= 0 {
		return why
	}
	limit := time.NewTimer(grace)
	defer limit.Stop()
	select {
	case <-d.hurry:
		return cutShort(why)
	case <-limit.C:
		return cause.DrainExpired.With(why)
	case <-d.done:
		return cause.Shutdown
	}
}

// cutShort is the cause of the end of a drain that was told to end. What was stopped alone does not
// drain.
func cutShort(why error) error {
	if errors.Is(why, cause.Stopped) {
		return why
	}
	return cause.Shutdown.With(fmt.Errorf("%w: %w", ErrDrainCutShort, why))
}
