package tracing

import (
	"cmp"
	"context"

	"go.opentelemetry.io/otel/trace"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/internal/tracescope"
)

// AnnotationKey is the annotation that carries a trace from one object to the next, unless [Annotations]
// names another. KEP-5915 proposes it; so far it is a convention.
const AnnotationKey = "tracing.k8s.io/traceparent"

// Annotations says whether and under which key objects carry traces. The zero value, and nil, read and do not
// write.
//
// What stands in an annotation, anyone may have written who may write the object. So it becomes a link, never
// a parent, and the sampler of the package sampling bounds what that can cost.
type Annotations struct {
	// Key is the annotation's. Default: AnnotationKey.
	Key string
	// Write has [Stamp] and [StampObject] write it. Default: they only keep what is there.
	Write bool
	// IgnoreRead has links from annotations not be made. Default: they are.
	IgnoreRead bool
}

func (a *Annotations) key() string {
	if a == nil {
		return AnnotationKey
	}
	return cmp.Or(a.Key, AnnotationKey)
}

// LinkFrom is the trace that object's annotation names: sampled, of 55 characters, or none.
func (a *Annotations) LinkFrom(object metav1.Object) (trace.Link, bool) {
	if a != nil && a.IgnoreRead {
		return trace.Link{}, false
	}
	value, ok := object.GetAnnotations()[a.key()]
	if !ok {
		return trace.Link{}, false
	}
	sc, ok := parseTraceparent(value)
	return trace.Link{SpanContext: sc}, ok
}

// scope is what a context says about annotations.
type scope struct {
	annotations *Annotations
	self        types.UID
	byHand      bool // without any settings: who stamps then, means it
}

// NewContext returns a context with which [Stamp], [StampObject] and [Continue] go by a; self is the object
// that is being reconciled, which is never stamped.
func NewContext(ctx context.Context, a *Annotations, self types.UID) context.Context {
	return context.WithValue(ctx, tracescope.Key{}, &tracescope.Scope{Annotations: a, Self: self})
}

// scopeOf is what ctx says, from NewContext or by default.
func scopeOf(ctx context.Context) scope {
	if found, ok := ctx.Value(tracescope.Key{}).(*tracescope.Scope); ok {
		annotations, _ := found.Annotations.(*Annotations)
		return scope{annotations: annotations, self: found.Self}
	}
	return scope{byHand: true}
}

// Continue links the span in ctx to the trace in object's annotation, if it has one: for an object that user
// code has come across, such as a reference of the one being reconciled. That one is linked already.
func Continue(ctx context.Context, object metav1.Object) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	if link, ok := scopeOf(ctx).annotations.LinkFrom(object); ok {
		span.AddLink(link)
	}
}
