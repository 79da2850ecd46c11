// SPDX-License-Identifier: Apache-2.0

// Package spans makes the spans of reconciles and of terms of leadership.
package spans

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/clientspans"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/traceannotation"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

// Observer is an observer that makes spans.
type Observer struct {
	observe.Nop

	tracer      trace.Tracer
	client      *clientspans.Client
	annotations *traceannotation.Settings

	mu          sync.Mutex
	controllers map[string]*controller // by name
	termBegin   map[string]trace.SpanContext
}

var _ observe.Observer = (*Observer)(nil)

// New makes an observer whose spans go to provider. client makes the spans of waits.
func New(
	provider trace.TracerProvider,
	client *clientspans.Client,
	annotations *traceannotation.Settings,
) *Observer {
	return &Observer{
		tracer: provider.Tracer(semconv.ScopeController), client: client, annotations: annotations,
		controllers: map[string]*controller{}, termBegin: map[string]trace.SpanContext{},
	}
}

// of returns what is known of a controller.
func (o *Observer) of(name string) *controller {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.controllers[name]
	if c == nil {
		c = newController(name, o.annotations)
		o.controllers[name] = c
	}
	return c
}

// Enqueued keeps the trace in the annotation of the event's object, or that of who has enqueued the
// items, as a link for the items' next reconciles.
func (o *Observer) Enqueued(ctx context.Context, e *observe.Enqueue) {
	c := o.of(e.Controller)
	if e.Object != nil {
		if link, ok := c.consumer.Take(e.Object); ok {
			c.keepLink(e, link)
		}
	}
	if span := trace.SpanContextFromContext(ctx); e.Link && span.IsValid() {
		c.keepLink(e, trace.Link{SpanContext: span})
	}
}

// ControllerRemoved forgets a controller.
func (o *Observer) ControllerRemoved(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.controllers, name)
}

// QueueCleared forgets what was kept for the items of a controller.
func (o *Observer) QueueCleared(name string) { o.of(name).clear() }

// CallThrottled makes the span of a wait. After a refusal of the fence, and before client-go's next
// attempt, the next attempt makes it.
func (o *Observer) CallThrottled(ctx context.Context, t observe.Throttle) {
	if t.Ahead || t.Reason == report.ThrottleFence {
		return
	}
	o.client.Throttled(ctx, t.Began, t.Began.Add(t.Wait), t.Reason)
}

// TermBegan makes the span of a term's beginning.
func (o *Observer) TermBegan(ctx context.Context, term cause.Term) {
	begin := o.termSpan(ctx, semconv.SpanTermBegin, term, trace.SpanContext{})
	o.mu.Lock()
	defer o.mu.Unlock()
	o.termBegin[term.Lease.String()] = begin
}

// TermEnded makes the span of a term's end, linked to that of its beginning.
func (o *Observer) TermEnded(ctx context.Context, term cause.Term, how cause.TermEnd) {
	o.mu.Lock()
	begin := o.termBegin[term.Lease.String()]
	delete(o.termBegin, term.Lease.String())
	o.mu.Unlock()
	o.termSpan(
		ctx,
		semconv.SpanTermEnd,
		term,
		begin,
		attribute.String(semconv.AttrTermEnd, string(how)),
	)
}

// SlotBegan makes the span of a slot's beginning.
func (o *Observer) SlotBegan(ctx context.Context, slot int, term cause.Term) {
	o.termSpan(ctx, semconv.SpanSlotBegin, term, trace.SpanContext{}, attribute.Int(semconv.AttrSlot, slot))
}

// SlotEnded makes the span of a slot's end.
func (o *Observer) SlotEnded(ctx context.Context, slot int, term cause.Term, how cause.TermEnd) {
	o.termSpan(ctx, semconv.SpanSlotEnd, term, trace.SpanContext{},
		attribute.Int(semconv.AttrSlot, slot), attribute.String(semconv.AttrTermEnd, string(how)))
}

func (o *Observer) termSpan(
	ctx context.Context,
	name string,
	term cause.Term,
	linked trace.SpanContext,
	attributes ...attribute.KeyValue,
) trace.SpanContext {
	var links []trace.Link
	if linked.IsValid() {
		links = append(links, trace.Link{SpanContext: linked})
	}
	attributes = append(
		attributes,
		attribute.String(semconv.AttrLease, term.Lease.String()),
		attribute.Int(semconv.AttrTerm, term.Number),
	)
	_, span := o.tracer.Start(ctx, name, trace.WithNewRoot(), trace.WithLinks(links...),
		trace.WithAttributes(attributes...))
	span.End()
	return span.SpanContext()
}
