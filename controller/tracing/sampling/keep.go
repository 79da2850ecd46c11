// SPDX-License-Identifier: Apache-2.0

package sampling

import (
	"cmp"
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

// KeepOptions configures a [KeepFilter]. The zero value works.
type KeepOptions struct {
	// Slow is the duration from which on a reconcile is kept because it was slow. Default: one
	// second.
	Slow time.Duration
	// MaxTraces is the number of reconciles whose spans are held at the same time. Default: 1024.
	MaxTraces int
	// MaxSpans is the number of spans that are held of one reconcile. Default: 256.
	MaxSpans int
}

// KeepFilter is a span processor that holds the spans of a reconcile until the reconcile has ended.
// Then it passes them on if the reconcile wrote, failed, was cancelled, was slow (see
// KeepOptions.Slow), or was linked to a sampled span; otherwise it drops them. Spans that belong to
// no reconcile are passed on at once. So are the spans of a reconcile for which
// KeepOptions.MaxTraces or MaxSpans leaves no room.
type KeepFilter struct {
	next    sdktrace.SpanProcessor
	options KeepOptions

	mu     sync.Mutex
	closed bool
	traces map[trace.TraceID]*pending
}

// pending is a trace with spans that have not ended.
type pending struct {
	open    map[trace.SpanID]struct{}
	roots   int // reconciles among them
	verdict verdict
	spans   []sdktrace.ReadOnlySpan
}

type verdict int

const (
	undecided verdict = iota
	keep
	drop
)

// NewKeepFilter makes a filter that passes spans to next. It starts no goroutine.
func NewKeepFilter(next sdktrace.SpanProcessor, options KeepOptions) *KeepFilter {
	options.Slow = cmp.Or(options.Slow, time.Second)
	options.MaxTraces = cmp.Or(options.MaxTraces, 1024)
	options.MaxSpans = cmp.Or(options.MaxSpans, 256)
	return &KeepFilter{next: next, options: options, traces: map[trace.TraceID]*pending{}}
}

// OnStart notes that a span has to be waited for.
func (f *KeepFilter) OnStart(parent context.Context, span sdktrace.ReadWriteSpan) {
	f.next.OnStart(parent, span)
	f.mu.Lock()
	defer f.mu.Unlock()
	id := span.SpanContext().TraceID()
	p := f.traces[id]
	reconcile := isReconcile(span)
	if p == nil {
		if f.closed || !reconcile || len(f.traces) >= f.options.MaxTraces {
			return
		}
		p = &pending{open: map[trace.SpanID]struct{}{}}
		f.traces[id] = p
	}
	p.open[span.SpanContext().SpanID()] = struct{}{}
	if reconcile {
		p.roots++
	}
}

// OnEnd keeps the span, or passes it on together with those that were kept for it.
func (f *KeepFilter) OnEnd(span sdktrace.ReadOnlySpan) {
	for _, passed := range f.decide(span) {
		f.next.OnEnd(passed)
	}
}

// decide returns what is to be passed on now.
func (f *KeepFilter) decide(span sdktrace.ReadOnlySpan) []sdktrace.ReadOnlySpan {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := span.SpanContext().TraceID()
	p := f.traces[id]
	if p == nil {
		return []sdktrace.ReadOnlySpan{span}
	}
	if _, mine := p.open[span.SpanContext().SpanID()]; !mine {
		return []sdktrace.ReadOnlySpan{span} // older than the reconcile
	}
	p.spans = append(p.spans, span)
	delete(p.open, span.SpanContext().SpanID())
	if isReconcile(span) {
		p.roots--
		if f.matters(span) {
			p.verdict = keep
		} else if p.roots == 0 && p.verdict == undecided {
			p.verdict = drop
		}
	}
	if p.verdict == undecided && len(p.spans) > f.options.MaxSpans {
		p.verdict = keep
	}
	if len(p.open) == 0 {
		delete(f.traces, id)
	}
	return p.take()
}

// take empties what is kept as soon as there is a verdict.
func (p *pending) take() []sdktrace.ReadOnlySpan {
	if p.verdict == undecided {
		return nil
	}
	spans := p.spans
	p.spans = nil
	if p.verdict == drop {
		return nil
	}
	return spans
}

// matters reports whether a reconcile that has ended is one to keep.
func (f *KeepFilter) matters(span sdktrace.ReadOnlySpan) bool {
	if span.Status().Code == codes.Error || span.EndTime().Sub(span.StartTime()) >= f.options.Slow {
		return true
	}
	for _, link := range span.Links() {
		if link.SpanContext.IsSampled() {
			return true
		}
	}
	for _, a := range span.Attributes() {
		switch a.Key {
		case semconv.AttrCancelCause:
			return true
		case semconv.AttrWrites:
			if a.Value.AsInt64() > 0 {
				return true
			}
		case semconv.AttrResult:
			if result := a.Value.AsString(); result != string(reconcile.Done) &&
				result != string(reconcile.Requeued) {
				return true
			}
		}
	}
	return false
}

// isReconcile reports whether a span is the local root of a reconcile.
func isReconcile(span sdktrace.ReadOnlySpan) bool {
	if span.Parent().IsValid() && !span.Parent().IsRemote() {
		return false
	}
	for _, a := range span.Attributes() {
		if a.Key == attribute.Key(semconv.AttrController) {
			return true
		}
	}
	return false
}

// ForceFlush passes on all spans that are held. Of the reconciles that these belong to, it passes
// on all further spans too.
func (f *KeepFilter) ForceFlush(ctx context.Context) error {
	f.release(false)
	return f.next.ForceFlush(ctx)
}

// Shutdown passes on the spans that are held, and shuts down the next processor.
func (f *KeepFilter) Shutdown(ctx context.Context) error {
	f.release(true)
	return f.next.Shutdown(ctx)
}

func (f *KeepFilter) release(final bool) {
	f.mu.Lock()
	f.closed = f.closed || final
	var spans []sdktrace.ReadOnlySpan
	for _, p := range f.traces {
		if p.verdict == undecided {
			p.verdict = keep
			spans = append(spans, p.take()...)
		}
	}
	f.mu.Unlock()
	for _, span := range spans {
		f.next.OnEnd(span)
	}
}
