// SPDX-License-Identifier: Apache-2.0

// Package traceannotation reads and compares the annotation that carries a trace from one object to
// the next. Anyone who may write an object may write its annotation. So it becomes a link, never a
// parent, and the sampler of package sampling bounds what that can cost.
package traceannotation

import (
	"cmp"

	"go.opentelemetry.io/otel/trace"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/traceparent"
)

// DefaultKey is the key of the annotation that KEP-5915 proposes.
const DefaultKey = "tracing.k8s.io/traceparent"

// Settings says under which key objects carry traces, and whether to write them. The zero value,
// and nil, use DefaultKey and do not write.
type Settings struct {
	Key   string // empty for DefaultKey
	Write bool   // otherwise annotations are kept as they are
}

// AnnotationKey returns the key.
func (s *Settings) AnnotationKey() string {
	if s == nil {
		return DefaultKey
	}
	return cmp.Or(s.Key, DefaultKey)
}

// LinkFrom returns the trace in an object's annotation, if it has a valid one of a sampled span.
func (s *Settings) LinkFrom(object metav1.Object) (trace.Link, bool) {
	value, ok := object.GetAnnotations()[s.AnnotationKey()]
	if !ok {
		return trace.Link{}, false
	}
	sc, ok := traceparent.Parse(value)
	return trace.Link{SpanContext: sc}, ok
}

// Writes reports whether annotations are written.
func (s *Settings) Writes() bool { return s != nil && s.Write }
