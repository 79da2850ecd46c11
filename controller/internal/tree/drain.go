// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// ErrDrainCutShort is the detail of the cause with which a drain ends that was told to.
var ErrDrainCutShort = errors.New("the drain was cut short")

// Drain returns a context with the values of ctx that outlives it by grace, so that items in flight
// may finish. It ends earlier
//   - with the cause of lost, in the same instant as lost, if lost is not nil: lost leadership
//     never drains;
//   - when hurry is closed and ctx has ended, in whichever order.
//
// With a grace of zero or less it is ctx itself. release ends it, and must be called when nothing
// runs on it any more.
func Drain(
	ctx, lost context.Context, hurry <-chan struct{}, grace time.Duration,
) (draining context.Context, release func()) {
	if grace <= 0 {
		return ctx, func() {}
	}
	above := context.WithoutCancel(ctx)
	if lost != nil {
		above = WithValues(lost, ctx)
	}
	draining, cancel := context.WithCancelCause(above)
	done := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if wait(ctx.Done(), done) {
			cancel(endOfDrain(ctx, hurry, done, grace))
		}
	})
	return draining, func() {
		close(done)
		waiting.Wait()
		cancel(cmp.Or(context.Cause(ctx), error(cause.Shutdown)))
	}
}

// endOfDrain waits for the end of a drain that has begun, and returns its cause.
func endOfDrain(ctx context.Context, hurry, done <-chan struct{}, grace time.Duration) error {
	limit := time.NewTimer(grace)
	defer limit.Stop()
	select {
	case <-hurry:
		return cause.Shutdown.With(fmt.Errorf("%w: %w", ErrDrainCutShort, context.Cause(ctx)))
	case <-limit.C:
		return cause.DrainExpired.With(context.Cause(ctx))
	case <-done:
		return cause.Shutdown
	}
}

// wait waits for the first of two channels, and reports whether it was event.
func wait(event, done <-chan struct{}) bool {
	select {
	case <-event:
		return true
	case <-done:
		return false
	}
}
