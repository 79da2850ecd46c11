// SPDX-License-Identifier: Apache-2.0

package tracing_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a provider and what its spans have come to.
type recorder struct {
	*sdktrace.TracerProvider
	exporter *tracetest.InMemoryExporter
}

func record(sampler sdktrace.Sampler) *recorder {
	exporter := tracetest.NewInMemoryExporter()
	return &recorder{sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler), sdktrace.WithSyncer(exporter)), exporter}
}

// reconcile starts a span as a reconcile has it.
func (r *recorder) reconcile(ctx context.Context) (context.Context, trace.Span) {
	return r.Tracer("test").Start(ctx, "reconcile test", trace.WithNewRoot())
}

// named returns the spans of that name in the order in which they ended.
func (r *recorder) named(name string) []tracetest.SpanStub {
	var found []tracetest.SpanStub
	for _, span := range r.exporter.GetSpans() {
		if span.Name == name {
			found = append(found, span)
		}
	}
	return found
}

// one is the only span of that name.
func (r *recorder) one(t *testing.T, name string) tracetest.SpanStub {
	t.Helper()
	found := r.named(name)
	if len(found) != 1 {
		t.Fatalf("there are %d spans named %q, want 1, among %v", len(found), name, names(r.exporter.GetSpans()))
	}
	return found[0]
}

func names(spans tracetest.SpanStubs) []string {
	all := make([]string, len(spans))
	for i, span := range spans {
		all[i] = span.Name
	}
	return all
}

// value is an attribute in words, "" when there is none.
func value(span tracetest.SpanStub, key string) string {
	for _, a := range span.Attributes {
		if a.Key == attribute.Key(key) {
			return a.Value.String()
		}
	}
	return ""
}
