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
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// limiter is a client-side rate limiter whose waits end with the context's cause, which client-go's
// own limiters drop. It refuses calls on a context that has ended.
type limiter struct {
	flowcontrol.RateLimiter
	observers observe.Observers
}

// limiterOf wraps the rate limiter that config asks for. If it asks for none, there is no
// client-side limit: the API server's priority and fairness does that better than a guess made
// here.
func limiterOf(config *rest.Config, observers observe.Observers) flowcontrol.RateLimiter {
	switch {
	case config.RateLimiter != nil:
		return limiter{config.RateLimiter, observers}
	case config.QPS > 0:
		bucket := flowcontrol.NewTokenBucketRateLimiter(
			config.QPS,
			cmp.Or(config.Burst, rest.DefaultBurst),
		)
		return limiter{bucket, observers}
	default:
		return limiter{flowcontrol.NewFakeAlwaysRateLimiter(), observers}
	}
}

// Wait waits until a call may be sent, or ctx ends.
func (l limiter) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return withCause(ctx, err)
	}
	began := time.Now()
	err := l.RateLimiter.Wait(ctx)
	l.observers.CallThrottled(ctx, observe.Throttle{
		Reason: report.ThrottleRateLimiter, Began: began, Wait: time.Since(began),
	})
	switch {
	case ctx.Err() != nil:
		// Also if the call may be sent now: client-go would look at the context next, and return
		// its plain error.
		return withCause(ctx, ctx.Err())
	case err == nil:
		return nil
	default:
		// The limiter knows already that the call may be sent only after the context's deadline.
		return fmt.Errorf("%w: %w", err, context.DeadlineExceeded)
	}
}
