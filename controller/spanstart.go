package controller

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

// spanStart is what one worker starts the spans of its reconciles with. Most are not sampled, and all that they
// cost is their start; so the options are made once, over one array of attributes that is filled anew for each
// item. OpenTelemetry copies them when it reads an option (trace.NewSpanStartConfig), which is the only way to.
type spanStart struct {
	name       string
	attributes [maxAttributes]attribute.KeyValue
	count      int
	options    [4]trace.SpanStartOption
	counted    [maxAttributes + 1]trace.SpanStartOption // with so many attributes
}

// maxAttributes is how many attributes a reconcile has at its start.
const maxAttributes = 14

// The places in spanStart.options.
const (
	optionRoot = iota
	optionKind
	optionAttributes
	optionLinks
)

// newSpanStart is nil where nothing is traced.
func (c *Controller[T]) newSpanStart() *spanStart {
	if c.tracer == nil {
		return nil
	}
	s := &spanStart{name: tracing.SpanReconcile + " " + c.title}
	s.options[optionRoot], s.options[optionKind] = trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer)
	for n := range s.counted {
		s.counted[n] = trace.WithAttributes(s.attributes[:n]...)
	}
	return s
}

// set begins anew with these.
func (s *spanStart) set(attributes ...attribute.KeyValue) {
	s.count = copy(s.attributes[:], attributes)
}

func (s *spanStart) add(a attribute.KeyValue) {
	s.attributes[s.count] = a
	s.count++
}

// with is the options of the next span.
func (s *spanStart) with(links []trace.Link) []trace.SpanStartOption {
	s.options[optionAttributes] = s.counted[s.count]
	if len(links) == 0 {
		return s.options[:optionLinks]
	}
	s.options[optionLinks] = trace.WithLinks(links...)
	return s.options[:]
}
