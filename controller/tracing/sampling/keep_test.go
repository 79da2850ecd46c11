// SPDX-License-Identifier: Apache-2.0

package sampling_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/tracing/sampling"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type filtered struct {
	*sdktrace.TracerProvider
	exporter *tracetest.InMemoryExporter
	filter   *sampling.KeepFilter
}

func filter(options sampling.KeepOptions) *filtered {
	exporter := tracetest.NewInMemoryExporter()
	f := sampling.NewKeepFilter(sdktrace.NewSimpleSpanProcessor(exporter), options)
	return &filtered{sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(f)), exporter, f}
}

func (f *filtered) reconcile(ctx context.Context, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	options = append(options, trace.WithNewRoot(), trace.WithAttributes(attribute.String(semconv.AttrController, "test")))
	return f.Tracer("test").Start(ctx, "reconcile test", options...)
}

func (f *filtered) step(ctx context.Context) trace.Span {
	_, span := f.Tracer("test").Start(ctx, "step")
	return span
}

func (f *filtered) exported() []string {
	var names []string
	for _, span := range f.exporter.GetSpans() {
		names = append(names, span.Name)
	}
	return names
}

func TestOnlyReconcilesThatMatteredAreKept(t *testing.T) {
	kept := []string{"step", "reconcile test"}
	set := func(attributes ...attribute.KeyValue) func(trace.Span) {
		return func(s trace.Span) { s.SetAttributes(attributes...) }
	}
	for name, c := range map[string]struct {
		start []trace.SpanStartOption
		end   func(trace.Span)
		want  []string
	}{
		"did nothing":                    {nil, set(attribute.String(semconv.AttrResult, string(reconcile.Done)), attribute.Int(semconv.AttrWrites, 0)), nil},
		"waits":                          {nil, set(attribute.String(semconv.AttrResult, string(reconcile.Requeued))), nil},
		"wrote":                          {nil, set(attribute.String(semconv.AttrResult, string(reconcile.Done)), attribute.Int(semconv.AttrWrites, 1)), kept},
		"failed":                         {nil, func(s trace.Span) { s.SetStatus(codes.Error, "") }, kept},
		"to be tried":                    {nil, set(attribute.String(semconv.AttrResult, string(reconcile.Retried))), kept},
		"cancelled":                      {nil, set(attribute.String(semconv.AttrCancelCause, "shutdown")), kept},
		"slow":                           {[]trace.SpanStartOption{trace.WithTimestamp(time.Now().Add(-time.Second))}, set(), kept},
		"linked":                         {[]trace.SpanStartOption{linked(trace.FlagsSampled)}, set(), kept},
		"linked to what was not sampled": {[]trace.SpanStartOption{linked(0)}, set(), nil},
	} {
		f := filter(sampling.KeepOptions{})
		ctx, root := f.reconcile(t.Context(), c.start...)
		late := f.step(ctx)
		f.step(ctx).End()
		if len(f.exported()) != 0 {
			t.Errorf("%s: exported before the end: %v", name, f.exported())
		}
		c.end(root)
		root.End()
		if got := f.exported(); !slices.Equal(got, c.want) {
			t.Errorf("%s: exported %v, want %v", name, got, c.want)
		}
		late.End()
		if got := len(f.exported()); (got == 3) != (c.want != nil) || (got == 0) != (c.want == nil) {
			t.Errorf("%s: a span that ended after its root did not share its lot: %v", name, f.exported())
		}
		if n := f.filter.Waiting(); n != 0 {
			t.Errorf("%s: %d traces are waited for after their end", name, n)
		}
	}
}

func TestSpansOfNoReconcilePass(t *testing.T) {
	f := filter(sampling.KeepOptions{})
	f.step(t.Context()).End()
	ctx, outer := f.Tracer("test").Start(t.Context(), "request")
	f.step(ctx).End()
	outer.End()
	if got, want := f.exported(), []string{"step", "step", "request"}; !slices.Equal(got, want) {
		t.Errorf("exported %v, want %v", got, want)
	}
}

func TestNothingIsLostByAFlushOrTheEnd(t *testing.T) {
	for name, end := range map[string]func(*filtered) error{
		"ForceFlush": func(f *filtered) error { return f.ForceFlush(t.Context()) },
		"Shutdown":   func(f *filtered) error { return f.filter.Shutdown(t.Context()) },
	} {
		f := filter(sampling.KeepOptions{})
		for range 10 {
			ctx, _ := f.reconcile(t.Context())
			f.step(ctx).End()
		}
		ctx, root := f.reconcile(t.Context())
		before := len(f.exported())
		// The exporter of the tests forgets what it has at its own end.
		passed := make(chan int, 1)
		f.exporter.Reset()
		f.filter.BeforeNext(func() { passed <- len(f.exported()) })
		if err := end(f); err != nil {
			t.Fatal(err)
		}
		if got := <-passed; got != 10 || before != 0 {
			t.Errorf("%s: passed on %d spans, %d before", name, got, before)
		}
		if name == "Shutdown" {
			continue
		}
		f.step(ctx).End()
		root.End()
		if got := len(f.exported()); got != 12 {
			t.Errorf("%s: of a reconcile that went on, %d spans were passed on", name, got-10)
		}
	}
}

func TestMemoryIsBoundedAndWhatDoesNotFitPasses(t *testing.T) {
	f := filter(sampling.KeepOptions{MaxTraces: 2, MaxSpans: 3})
	ctx, _ := f.reconcile(t.Context())
	for range 5 {
		f.step(ctx).End()
	}
	if got := len(f.exported()); got != 5 {
		t.Errorf("%d of 5 spans were passed on of a reconcile that may keep 3", got)
	}
	for range 10 {
		ctx, _ := f.reconcile(t.Context())
		f.step(ctx).End()
	}
	if n := f.filter.Waiting(); n != 2 {
		t.Errorf("%d traces are waited for", n)
	}
	if got := len(f.exported()); got != 5+9 {
		t.Errorf("%d spans were passed on", got)
	}
}

func TestReconcilesAtTheSameTimeDoNotMix(t *testing.T) {
	f := filter(sampling.KeepOptions{})
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			ctx, root := f.reconcile(t.Context())
			for range 5 {
				f.step(ctx).End()
			}
			if i%2 == 0 {
				root.SetAttributes(attribute.Int(semconv.AttrWrites, 1))
			}
			root.End()
		})
	}
	all.Wait()
	counts := map[string]int{}
	for _, span := range f.exporter.GetSpans() {
		counts[fmt.Sprint(span.SpanContext.TraceID())]++
	}
	for id, n := range counts {
		if n != 6 {
			t.Errorf("of %s %d spans were passed on, want 6", id, n)
		}
	}
	if len(counts) != 50 {
		t.Errorf("%d reconciles were passed on, want 50", len(counts))
	}
}
