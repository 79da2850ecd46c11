// SPDX-License-Identifier: Apache-2.0

package clientspans

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/lanyard-k8s/lanyard/controller/internal/spanstatus"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

// throttleMin is the shortest wait that has a span.
const throttleMin = 5 * time.Millisecond

// Throttled makes a throttle span of a wait of 5 ms or more, below a span that is sampled.
func (c *Client) Throttled(ctx context.Context, began, ended time.Time, reason report.Throttle) {
	if c != nil && wanted(ctx) {
		c.throttled(ctx, began, ended, reason)
	}
}

func (c *Client) throttled(ctx context.Context, began, ended time.Time, reason report.Throttle) {
	if ended.Sub(began) < throttleMin {
		return
	}
	_, span := c.tracer.Start(ctx, semconv.SpanThrottle, trace.WithTimestamp(began),
		trace.WithAttributes(attribute.String(semconv.AttrThrottleReason, string(reason))))
	spanstatus.Set(ctx, span, ctx.Err())
	span.End(trace.WithTimestamp(ended))
}

// wanted reports whether spans below the one in ctx are recorded.
func wanted(ctx context.Context) bool {
	span := trace.SpanFromContext(ctx)
	return span.SpanContext().IsSampled() || span.IsRecording()
}

// RateLimiter returns next with a throttle span for each of its waits. It returns next itself if c
// or next is nil.
func (c *Client) RateLimiter(next flowcontrol.RateLimiter) flowcontrol.RateLimiter {
	if c == nil || next == nil {
		return next
	}
	return &rateLimiter{RateLimiter: next, client: c}
}

type rateLimiter struct {
	flowcontrol.RateLimiter
	client *Client
}

// Wait waits until a call may be sent, or ctx ends.
func (l *rateLimiter) Wait(ctx context.Context) error {
	if !wanted(ctx) {
		return l.RateLimiter.Wait(ctx)
	}
	began := time.Now()
	err := l.RateLimiter.Wait(ctx)
	l.client.Throttled(ctx, began, time.Now(), report.ThrottleRateLimiter)
	return err
}
