// SPDX-License-Identifier: Apache-2.0

// Package sampling decides which reconciles are traced: by ratio and by what led to them at their
// start, and by what came of them at their end. It is for whoever sets up OpenTelemetry's SDK:
//
//	provider := sdktrace.NewTracerProvider(
//		sdktrace.WithSampler(sampling.Sampler(0.01, sampling.Budget{})),
//		sdktrace.WithSpanProcessor(sampling.NewKeepFilter(sdktrace.NewBatchSpanProcessor(exporter), sampling.KeepOptions{})))
package sampling

import (
	"cmp"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

// Budget is a limit for [Sampler]: how many reconciles it samples for no other reason than a link
// to a sampled trace. There is a limit because a link may come from an annotation, which anyone who
// can write the object can set. The zero value allows one per second.
type Budget struct {
	// PerSecond is the number of such reconciles that are sampled per second, on average. Default:
	// 1. A negative value means none.
	PerSecond float32
	// Burst is the number of such reconciles that may be sampled at once. Default: 10.
	Burst int
}

// Sampler returns a sampler for a program of controllers. It samples:
//   - each span whose parent is sampled;
//   - the given ratio of all other traces, from 0 to 1;
//   - each beginning and end of a term of leadership, which are few;
//   - reconciles that are linked to a sampled span, as far as budget allows.
func Sampler(ratio float64, budget Budget) sdktrace.Sampler {
	s := linkSampler{ratio: sdktrace.TraceIDRatioBased(ratio)}
	if budget.PerSecond >= 0 {
		s.budget = flowcontrol.NewTokenBucketPassiveRateLimiter(
			cmp.Or(budget.PerSecond, 1),
			cmp.Or(budget.Burst, 10),
		)
	}
	return sdktrace.ParentBased(s)
}

type linkSampler struct {
	ratio  sdktrace.Sampler
	budget flowcontrol.PassiveRateLimiter // nil for none
}

// ShouldSample takes of the budget only what nothing else has given already.
func (s linkSampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	result := s.ratio.ShouldSample(p)
	if result.Decision == sdktrace.Drop &&
		(slices.ContainsFunc(p.Attributes, ofTerm) || s.withinBudget(p.Links)) {
		result.Decision = sdktrace.RecordAndSample
	}
	return result
}

func (s linkSampler) withinBudget(links []trace.Link) bool {
	return s.budget != nil && slices.ContainsFunc(links, sampled) && s.budget.TryAccept()
}

// ofTerm reports whether a span is the beginning or the end of a term.
func ofTerm(a attribute.KeyValue) bool { return a.Key == semconv.AttrLease }

func sampled(link trace.Link) bool { return link.SpanContext.IsSampled() }

// Description says it in words, as samplers have to.
func (s linkSampler) Description() string {
	if s.budget == nil {
		return s.ratio.Description()
	}
	return fmt.Sprintf("Linked{%g/s,%s}", s.budget.QPS(), s.ratio.Description())
}
