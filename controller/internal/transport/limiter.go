// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// limiter is a client-side rate limiter whose waits end with the context's cause, which client-go's
// own limiters drop. It refuses calls on a context that has ended.
type limiter struct {
	flowcontrol.RateLimiter
	observers observe.Observers
	orphans   *orphans // ends the waits of calls with contexts from elsewhere; nil for a Lease
	unlimited bool     // nobody waits
}

// limiterOf wraps the rate limiter that config asks for. If it asks for none, there is no
// client-side limit: the API server's priority and fairness does that better than a guess made
// here.
func limiterOf(config *rest.Config, o observe.Observers, orphans *orphans) flowcontrol.RateLimiter {
	l := limiter{RateLimiter: config.RateLimiter, observers: o, orphans: orphans}
	switch {
	case config.RateLimiter != nil:
	case config.QPS > 0:
		burst := cmp.Or(config.Burst, rest.DefaultBurst)
		l.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(config.QPS, burst)
	default:
		l.RateLimiter = flowcontrol.NewFakeAlwaysRateLimiter()
		l.unlimited = true
	}
	return l
}

// Wait waits until a call may be sent, or ctx ends.
func (l limiter) Wait(ctx context.Context) error {
	if l.orphans != nil {
		var done func()
		ctx, done = l.orphans.wait(ctx)
		defer done()
	}
	if err := ctx.Err(); err != nil {
		return withCause(ctx, err)
	}
	if l.unlimited {
		return nil
	}
	began := time.Now()
	over := l.noteWait(ctx, began)
	err := l.RateLimiter.Wait(ctx)
	over()
	l.observers.CallThrottled(ctx, observe.Throttle{
		Reason: report.ThrottleRateLimiter, Began: began, Wait: time.Since(began),
	})
	switch {
	case ctx.Err() != nil:
		// Also if the call may be sent now: client-go would look at the context next, and return
		// its plain error.
		l.orphans.ended(ctx, &report.Call{RateLimited: true}, "")
		return withCause(ctx, ctx.Err())
	case err == nil:
		return nil
	default:
		// The limiter knows already that the call may be sent only after the context's deadline.
		return fmt.Errorf("%w: %w", err, context.DeadlineExceeded)
	}
}

// noteWait makes the unit of work of a context say that one of its calls waits, until over is called.
func (l limiter) noteWait(ctx context.Context, began time.Time) (over func()) {
	unit := work.From(ctx)
	if unit == nil {
		return func() {}
	}
	wait := &work.Outstanding{Call: report.Call{RateLimited: true}, Start: began}
	unit.CallWillBegin(wait)
	return func() { unit.CallEnded(wait, work.Traffic{}, ctx.Err() != nil) }
}
