// SPDX-License-Identifier: Apache-2.0

// Package spantest records spans for tests. Only tests import it.
package spantest

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// Recorder is a provider and the spans of it that have ended.
type Recorder struct {
	*sdktrace.TracerProvider
	Exporter *tracetest.InMemoryExporter
}

// Record makes a recorder of the spans that sampler samples.
func Record(sampler sdktrace.Sampler) *Recorder {
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler), sdktrace.WithSyncer(exporter))
	return &Recorder{TracerProvider: provider, Exporter: exporter}
}

// Reconcile starts a span like that of a reconcile.
func (r *Recorder) Reconcile(ctx context.Context) (context.Context, trace.Span) {
	return r.Tracer("test").Start(ctx, "reconcile test", trace.WithNewRoot())
}

// Named returns the spans of a name in the order in which they ended.
func (r *Recorder) Named(name string) []tracetest.SpanStub {
	var found []tracetest.SpanStub
	for _, span := range r.Exporter.GetSpans() {
		if span.Name == name {
			found = append(found, span)
		}
	}
	return found
}

// One returns the only span of a name. The test fails if there is none or another.
func (r *Recorder) One(t *testing.T, name string) tracetest.SpanStub {
	t.Helper()
	found := r.Named(name)
	if len(found) != 1 {
		t.Fatalf("there are %d spans named %q, want 1, among %v",
			len(found), name, Names(r.Exporter.GetSpans()))
	}
	return found[0]
}

// Names returns the names of spans.
func Names(spans tracetest.SpanStubs) []string {
	all := make([]string, len(spans))
	for i, span := range spans {
		all[i] = span.Name
	}
	return all
}

// Value returns an attribute in words, or "" if the span does not have it.
func Value(span tracetest.SpanStub, key string) string {
	for _, a := range span.Attributes {
		if a.Key == attribute.Key(key) {
			return a.Value.String()
		}
	}
	return ""
}
