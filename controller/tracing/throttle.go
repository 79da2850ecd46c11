package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"k8s.io/client-go/util/flowcontrol"
)

// throttleMin is how long a wait lasts at least to be worth a span.
const throttleMin = 5 * time.Millisecond

// Throttled makes a throttle span of a wait that began then and ends now, if that is 5 ms or more. reason is
// one of the Throttle constants.
func (c *Client) Throttled(ctx context.Context, began time.Time, reason string) {
	if c != nil && wanted(ctx) {
		c.throttled(ctx, began, time.Now(), reason)
	}
}

func (c *Client) throttled(ctx context.Context, began, ended time.Time, reason string) {
	if ended.Sub(began) < throttleMin {
		return
	}
	_, span := c.tracer.Start(ctx, SpanThrottle, trace.WithTimestamp(began),
		trace.WithAttributes(attribute.String(AttrThrottleReason, reason)))
	SetStatus(ctx, span, ctx.Err())
	span.End(trace.WithTimestamp(ended))
}

// wanted tells whether spans below the one in ctx will be seen.
func wanted(ctx context.Context) bool {
	span := trace.SpanFromContext(ctx)
	return span.SpanContext().IsSampled() || span.IsRecording()
}

type rateLimiter struct {
	flowcontrol.RateLimiter
	client *Client
}

// Wait blocks until the call may be sent or ctx ends.
func (l *rateLimiter) Wait(ctx context.Context) error {
	if !wanted(ctx) {
		return l.RateLimiter.Wait(ctx)
	}
	began := time.Now()
	err := l.RateLimiter.Wait(ctx)
	l.client.Throttled(ctx, began, ThrottleRateLimiter)
	return err
}
