package controller

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/trigger"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

// scopeName names the spans' origin, as OpenTelemetry has it.
const scopeName = "github.com/lanyard-k8s/lanyard/controller"

// begin starts the span of a reconcile. It is the root of a trace of its own: what led to it is linked. Samplers
// see only what is known now. object is nil if it is gone.
func (c *Controller[T]) begin(ctx context.Context, unit *work.Unit, t trigger.Triggers, s *spanStart, object *T) (context.Context, trace.Span) {
	if s == nil {
		return ctx, nil
	}
	s.set(
		attribute.String(tracing.AttrController, c.title),
		attribute.String(tracing.AttrNamespace, unit.Key.Namespace),
		attribute.String(tracing.AttrObjectName, unit.Key.Name),
		attribute.String(tracing.AttrObjectKind, c.kind),
		attribute.String(tracing.AttrReason, string(t.Reason)),
		attribute.Int(tracing.AttrAttempt, unit.Attempt),
		attribute.Float64(tracing.AttrQueueWait, t.Wait(unit.Start).Seconds()),
		attribute.Float64(tracing.AttrQueueDelay, t.Delay.Seconds()),
		attribute.Int(tracing.AttrTriggers, t.Count),
	)
	if group := c.sources[0].informer.unit.Group(); group != "" {
		s.add(attribute.String(tracing.AttrObjectGroup, group))
	}
	unit.Scope.Annotations = c.manager.annotations
	if object != nil {
		unit.Scope.Self = (*object).GetUID()
		s.add(attribute.String(tracing.AttrObjectUID, string(unit.Scope.Self)))
		s.add(attribute.Int64(tracing.AttrGeneration, (*object).GetGeneration()))
	}
	if unit.Term != nil {
		s.add(attribute.Int(tracing.AttrTerm, unit.Term.Number))
	}
	links := t.Links
	if first := t.Attempt.First; first.IsValid() {
		s.add(attribute.String(tracing.AttrChainID, first.TraceID().String()))
		links = append(links, trace.Link{SpanContext: first})
		if previous := t.Attempt.Previous; !previous.Equal(first) {
			links = append(links, trace.Link{SpanContext: previous})
		}
	}
	ctx, span := c.tracer.Start(ctx, s.name, s.with(links)...)
	if context := span.SpanContext(); context.IsSampled() {
		ctx = klog.NewContext(ctx, klog.LoggerWithValues(klog.FromContext(ctx), "trace", context.TraceID().String()))
	}
	return ctx, span
}

// finish measures a reconcile and ends its span, in that order, so that the measurement can point at the
// span. Only a failure has an error status, and a cancellation is none (C5).
func (c *Controller[T]) finish(ctx context.Context, span trace.Span, unit *work.Unit, how outcome, err error) {
	if c.manager.metrics != nil {
		c.manager.metrics.Reconciled(ctx, c.title, string(how), cause.Name(ctx), time.Since(unit.Start))
	}
	if span == nil {
		return
	}
	if span.IsRecording() {
		cost := unit.Cost()
		span.SetAttributes(attribute.String(tracing.AttrResult, string(how)),
			attribute.Int(tracing.AttrWrites, cost.Writes), attribute.Int(tracing.AttrAPICalls, cost.Calls))
		tracing.SetStatus(ctx, span, err)
	}
	span.End()
	switch how {
	case outcomeRetried, outcomePanicked, outcomeTimedout:
		c.triggers.Attempted(unit.Key, span.SpanContext())
	case outcomeDone, outcomeRequeued, outcomeTerminal, outcomeCancelled:
		c.triggers.Settled(unit.Key)
	}
}

// termSpan makes a span for the beginning or the end of a term, linked to the other.
func (m *Manager) termSpan(ctx context.Context, name string, t *term.Term, begun trace.SpanContext, attributes ...attribute.KeyValue) trace.SpanContext {
	provider := m.options.Telemetry.TracerProvider
	if provider == nil {
		return trace.SpanContext{}
	}
	var links []trace.Link
	if begun.IsValid() {
		links = append(links, trace.Link{SpanContext: begun})
	}
	attributes = append(attributes, attribute.String(tracing.AttrLease, t.Lease), attribute.Int(tracing.AttrTerm, t.Number))
	_, span := provider.Tracer(scopeName).Start(ctx, name, trace.WithNewRoot(), trace.WithLinks(links...), trace.WithAttributes(attributes...))
	span.End()
	return span.SpanContext()
}

// noteTrigger remembers why an item is put into the queue, if anyone wants to know. It must be called before
// that.
func (c *Controller[T]) noteTrigger(request Request, reason trigger.Reason, delay time.Duration, link trace.Link) {
	if c.triggers != nil {
		c.triggers.Note(request, reason, delay, link)
	}
}

// backlog is how many items wait, and for how long the one that has waited longest. What a term has left over is in
// its report and not here: it waits for nobody, the next leader finds it.
func (c *Controller[T]) backlog(now time.Time) (depth int, oldest time.Duration) {
	c.mu.Lock()
	over := c.over
	c.mu.Unlock()
	if over {
		return 0, 0
	}
	if c.triggers != nil {
		if since, ok := c.triggers.Oldest(now); ok {
			oldest = now.Sub(since)
		}
	}
	return c.queued(), oldest
}

// reasonFor is why an event leads to a reconcile.
func reasonFor[O Object](event Event[O], related bool) trigger.Reason {
	switch {
	case event.Initial:
		return trigger.StartUp
	case event.canWait():
		return trigger.Resync
	case related:
		return trigger.RelatedChanged
	default:
		return trigger.ObjectChanged
	}
}
