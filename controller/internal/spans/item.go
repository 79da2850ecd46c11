// SPDX-License-Identifier: Apache-2.0

package spans

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/spanstatus"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

// maxAttributes is the number of attributes that a reconcile can have at its start.
const maxAttributes = 14

// ItemBegan starts the span of a reconcile. It is the root of a trace of its own, linked to what
// led to it. A sampler sees only what is known now.
func (o *Observer) ItemBegan(ctx context.Context, item *observe.Item) context.Context {
	c := o.of(item.Owner)
	links, chain := c.take(item.Key)
	attributes := startAttributes(item)
	if chain.first.IsValid() {
		attributes = append(
			attributes,
			attribute.String(semconv.AttrChainID, chain.first.TraceID().String()),
		)
		links = append(links, trace.Link{SpanContext: chain.first})
		if !chain.previous.Equal(chain.first) {
			links = append(links, trace.Link{SpanContext: chain.previous})
		}
	}
	options := []trace.SpanStartOption{
		trace.WithNewRoot(),
		c.spanKind,
		trace.WithAttributes(attributes...),
	}
	if len(links) > 0 {
		options = append(options, trace.WithLinks(links...))
	}
	ctx, span := o.tracer.Start(ctx, c.spanName, options...)
	if sc := span.SpanContext(); sc.IsSampled() {
		logger := klog.LoggerWithValues(klog.FromContext(ctx), "trace", sc.TraceID().String())
		ctx = klog.NewContext(ctx, logger)
	}
	return ctx
}

// startAttributes returns the attributes of a reconcile that are known at its start.
func startAttributes(item *observe.Item) []attribute.KeyValue {
	kind := item.ObjectKind
	attributes := append(make([]attribute.KeyValue, 0, maxAttributes),
		attribute.String(semconv.AttrController, item.Owner),
		attribute.String(semconv.AttrNamespace, item.Key.Namespace),
		attribute.String(semconv.AttrObjectName, item.Key.Name),
		attribute.String(semconv.AttrObjectKind, kind.Kind),
		attribute.String(semconv.AttrReason, string(item.Reason)),
		attribute.Int(semconv.AttrAttempt, item.Attempt),
		attribute.Float64(semconv.AttrQueueWait, item.Wait().Seconds()),
		attribute.Float64(semconv.AttrQueueDelay, item.Delay.Seconds()),
		attribute.Int(semconv.AttrTriggers, item.Triggers),
	)
	if kind.Group != "" {
		attributes = append(attributes, attribute.String(semconv.AttrObjectGroup, kind.Group))
	}
	if item.Object != nil {
		attributes = append(attributes,
			attribute.String(semconv.AttrObjectUID, string(item.Object.GetUID())),
			attribute.Int64(semconv.AttrGeneration, item.Object.GetGeneration()))
	}
	if item.Term != nil {
		attributes = append(attributes, attribute.Int(semconv.AttrTerm, item.Term.Number))
	}
	return attributes
}

// ItemEnded ends the span of a reconcile. Only a failure has an error status; a cancellation is
// none.
func (o *Observer) ItemEnded(ctx context.Context, item *observe.Item) {
	span := trace.SpanFromContext(ctx)
	if span.IsRecording() {
		cost := item.Cost()
		span.SetAttributes(
			attribute.String(semconv.AttrResult, string(item.Outcome)),
			attribute.Int(semconv.AttrWrites, cost.Writes),
			attribute.Int(semconv.AttrAPICalls, cost.Calls),
		)
		if cost.Calls > 0 {
			span.SetAttributes(accountAttributes(item)...)
		}
		spanstatus.Set(ctx, span, item.Err)
	}
	span.End()
	o.of(item.Owner).ended(item.Key, item.Outcome.WillRetry(), span.SpanContext())
}

// accountAttributes returns what a reconcile that made calls has asked of the API server.
func accountAttributes(item *observe.Item) []attribute.KeyValue {
	account := item.Account()
	total := account.Total()
	return []attribute.KeyValue{
		attribute.Int(semconv.AttrWithoutEffect, total.WithoutEffect),
		attribute.Int64(semconv.AttrSent, total.Sent),
		attribute.Int64(semconv.AttrReceived, total.Received),
		attribute.Float64(semconv.AttrOnWire, total.OnWire.Seconds()),
		attribute.Float64(semconv.AttrThrottled, account.Throttled.Seconds()),
	}
}
