// Package sampling decides which reconciles are traced: by ratio and by what led to them at their start, and
// by what came of them at their end. It is for whoever sets up OpenTelemetry's SDK:
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

	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

// Budget bounds how many traces are sampled only because of a link. A link may come from an annotation that
// anyone has written. The zero value is a bound too.
type Budget struct {
	// PerSecond is how many traces are sampled by a link, in the long run. Default: 1. Negative: none.
	PerSecond float32
	// Burst is how many may come at once. Default: 10.
	Burst int
}

// Sampler samples what is below a sampled span; of all else the given part, the beginnings and ends of terms of
// leadership, which are few, and what is linked to a sampled span, within the budget.
func Sampler(ratio float64, budget Budget) sdktrace.Sampler {
	s := linkSampler{ratio: sdktrace.TraceIDRatioBased(ratio)}
	if budget.PerSecond >= 0 {
		s.budget = flowcontrol.NewTokenBucketPassiveRateLimiter(cmp.Or(budget.PerSecond, 1), cmp.Or(budget.Burst, 10))
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
	if result.Decision == sdktrace.Drop && (slices.ContainsFunc(p.Attributes, ofTerm) || s.withinBudget(p.Links)) {
		result.Decision = sdktrace.RecordAndSample
	}
	return result
}

func (s linkSampler) withinBudget(links []trace.Link) bool {
	return s.budget != nil && slices.ContainsFunc(links, sampled) && s.budget.TryAccept()
}

// ofTerm tells that a span is the beginning or the end of a term.
func ofTerm(a attribute.KeyValue) bool { return a.Key == tracing.AttrLease }

func sampled(link trace.Link) bool { return link.SpanContext.IsSampled() }

// Description says it in words, as samplers have to.
func (s linkSampler) Description() string {
	if s.budget == nil {
		return s.ratio.Description()
	}
	return fmt.Sprintf("Linked{%g/s,%s}", s.budget.QPS(), s.ratio.Description())
}
