package transport

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/tracing"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// limiter makes a wait for the client-side rate limiter end with the context's cause, which
// client-go's own limiters drop (C2), and refuses calls on a context that has ended.
type limiter struct {
	flowcontrol.RateLimiter
	transport *Transport
}

// limit wraps the rate limiter that config asks for. Without one, and without QPS, there is no
// client-side limit: the server's priority and fairness does that better than a guess made here.
func limit(config *rest.Config, t *Transport) flowcontrol.RateLimiter {
	switch {
	case config.RateLimiter != nil:
		return limiter{config.RateLimiter, t}
	case config.QPS > 0:
		return limiter{flowcontrol.NewTokenBucketRateLimiter(config.QPS, cmp.Or(config.Burst, rest.DefaultBurst)), t}
	default:
		return limiter{flowcontrol.NewFakeAlwaysRateLimiter(), t}
	}
}

// Wait blocks until the call may be sent or ctx ends.
func (l limiter) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return withCause(ctx, err)
	}
	began := time.Now()
	err := l.RateLimiter.Wait(ctx)
	if observer := l.transport.Observer; observer != nil {
		observer.Waited(ctx, tracing.ThrottleRateLimiter, began)
	}
	switch {
	case ctx.Err() != nil:
		// Also when its turn has come: client-go would look at the context next, and return its plain error.
		return withCause(ctx, ctx.Err())
	case err == nil:
		return nil
	default:
		// The limiter knows already that its turn would come after the context's deadline.
		return fmt.Errorf("%w: %w", err, context.DeadlineExceeded)
	}
}
