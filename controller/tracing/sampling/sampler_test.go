// SPDX-License-Identifier: Apache-2.0

package sampling_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/lanyard-k8s/lanyard/controller/tracing/sampling"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

func linked(flags trace.TraceFlags) trace.SpanStartOption {
	return trace.WithLinks(trace.Link{SpanContext: trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: flags, Remote: true,
	})})
}

func start(s sdktrace.Sampler, ctx context.Context, options ...trace.SpanStartOption) (context.Context, bool) { //nolint:revive // the sampler comes first
	ctx, span := sdktrace.NewTracerProvider(sdktrace.WithSampler(s)).Tracer("test").Start(ctx, "reconcile test", options...)
	return ctx, span.SpanContext().IsSampled()
}

func TestAHostileAnnotationOnAThousandObjectsIsSampledWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for budget, want := range map[sampling.Budget]int{
			{}:                         10 + 9, // a burst, and one for each second after it
			{PerSecond: 5, Burst: 20}:  20 + 49,
			{PerSecond: -1}:            0,
			{PerSecond: 100, Burst: 2}: 999,
		} {
			s, n := sampling.Sampler(0, budget), 0
			for range 1000 {
				if _, ok := start(s, t.Context(), linked(trace.FlagsSampled)); ok {
					n++
				}
				time.Sleep(10 * time.Millisecond)
			}
			if n < want || n > want+1 {
				t.Errorf("%+v: %d of 1000 were sampled in ten seconds, want %d", budget, n, want)
			}
		}
	})
}

func TestTheRestIsSampledByParentAndRatio(t *testing.T) {
	none, all := sampling.Sampler(0, sampling.Budget{}), sampling.Sampler(1, sampling.Budget{Burst: 1})
	if _, ok := start(none, t.Context()); ok {
		t.Error("sampled without a link")
	}
	if _, ok := start(none, t.Context(), linked(0)); ok {
		t.Error("sampled by a link that leads nowhere")
	}
	dropped, _ := start(none, t.Context())
	if _, ok := start(all, dropped, linked(trace.FlagsSampled)); ok {
		t.Error("sampled below a span that is not")
	}
	sampled, ok := start(all, t.Context())
	if !ok {
		t.Error("not sampled by ratio 1")
	}
	if _, ok := start(none, sampled); !ok {
		t.Error("not sampled below a span that is")
	}
	for range 5 {
		if _, ok := start(all, t.Context(), linked(trace.FlagsSampled)); !ok {
			t.Error("what the ratio gives was taken from the budget")
		}
	}
	if d := none.Description(); !strings.Contains(d, "Linked{1/s,TraceIDRatioBased{0}}") {
		t.Errorf("the description is %s", d)
	}
}

func TestTheBeginningsAndEndsOfTermsAreAlwaysSampledAndTakeNothingOfTheBudget(t *testing.T) {
	of := func(key string) trace.SpanStartOption { return trace.WithAttributes(attribute.String(key, "x")) }
	s := sampling.Sampler(0, sampling.Budget{PerSecond: 0.001, Burst: 1})
	for range 100 {
		if _, ok := start(s, t.Context(), of(semconv.AttrLease), linked(trace.FlagsSampled), trace.WithNewRoot()); !ok {
			t.Fatal("a span of a term is not sampled")
		}
	}
	if _, ok := start(s, t.Context(), of(semconv.AttrTerm)); ok {
		t.Error("a reconcile in a term is sampled like the term itself")
	}
	if _, ok := start(s, t.Context(), linked(trace.FlagsSampled)); !ok {
		t.Error("the spans of terms have used up the budget")
	}
}

func TestTheBudgetIsNotSpentOnWhatTheRatioGives(t *testing.T) {
	s := sampling.Sampler(0.5, sampling.Budget{PerSecond: 0.001, Burst: 10})
	decide := func(id byte) bool { // half of the ids are in the ratio, by what they begin their second half with
		return s.ShouldSample(sdktrace.SamplingParameters{
			ParentContext: t.Context(), TraceID: trace.TraceID{1, 8: id},
			Links: []trace.Link{{SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled})}},
		}).Decision == sdktrace.RecordAndSample
	}
	for range 1000 {
		if !decide(0) {
			t.Fatal("not sampled by ratio")
		}
	}
	for i := range 11 {
		if decide(0xff) != (i < 10) {
			t.Errorf("by the budget of 10, number %d was not decided right", i+1)
		}
	}
}

func ExampleSampler() {
	exporter := tracetest.NewInMemoryExporter() // an OTLP exporter, in a real main
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSampler(sampling.Sampler(0.01, sampling.Budget{PerSecond: 2, Burst: 20})),
		sdktrace.WithSpanProcessor(sampling.NewKeepFilter(sdktrace.NewSimpleSpanProcessor(exporter), sampling.KeepOptions{})))
	fmt.Println(provider != nil)
	// Output: true
}
