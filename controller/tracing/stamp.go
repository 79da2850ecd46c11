package tracing

import (
	"context"
	"maps"
	"strings"

	"go.opentelemetry.io/otel/trace"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Object is any API object. A pod template is none.
type Object interface {
	metav1.Object
	runtime.Object
}

// ApplyConfiguration is any generated apply configuration of an API object. That of a pod template is none.
type ApplyConfiguration[A any] interface {
	GetKind() *string
	GetAPIVersion() *string
	WithAnnotations(entries map[string]string) A
}

// Stamp puts the trace of ctx into what is about to be applied, so that who reconciles the object next can go
// on from there:
//
//	deployment, err := client.Apply(ctx, tracing.Stamp(ctx, desired, live), options)
//
// live is the object as it is, nil where it is to be created. Where desired changes nothing about it, the
// annotation stays as it is too, so that the apply goes on changing nothing. What cannot be told apart for
// certain counts as no change. The annotation is dropped by a change that is not sampled, whose trace would
// lead nowhere.
//
// Nothing is done where [Annotations] do not write. Never stamped are the object that is being reconciled, and
// a Lease, Event or Scale. Do not use it for a status, whose annotations no server takes.
func Stamp[A ApplyConfiguration[A]](ctx context.Context, desired A, live Object) A {
	s := scopeOf(ctx)
	if !s.writes() || carriesNone(kindOf(desired)) {
		return desired
	}
	key, stamp := s.annotations.key(), freshStamp(ctx)
	if !isNil(live) {
		there, had := live.GetAnnotations()[key]
		if (had || stamp != "") && (s.isSelf(live) || !applyChanges(desired, live)) {
			stamp = there
		}
	}
	if stamp == "" {
		return desired
	}
	return desired.WithAnnotations(map[string]string{key: stamp})
}

// StampObject is [Stamp] for a create, where live is nil, or an update of live to desired.
func StampObject(ctx context.Context, desired, live Object) {
	s := scopeOf(ctx)
	if !s.writes() || carriesNoneOf(desired) {
		return
	}
	key, stamp := s.annotations.key(), freshStamp(ctx)
	is, has := desired.GetAnnotations()[key]
	if isNil(live) {
		if stamp != "" {
			annotate(desired, key, stamp)
		}
		return
	}
	there, had := live.GetAnnotations()[key]
	switch {
	case !had && !has && stamp == "":
	case s.isSelf(live), same(desired, live, key):
		annotate(desired, key, there)
	case stamp != "", is == there:
		annotate(desired, key, stamp)
	}
}

// annotate replaces object's annotations, which it may share with the one that it was made from.
func annotate(object Object, key, value string) {
	annotations := maps.Clone(object.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	if annotations[key] = value; value == "" {
		delete(annotations, key)
	}
	object.SetAnnotations(annotations)
}

// freshStamp is what to write of the trace in ctx; empty for nothing.
func freshStamp(ctx context.Context) string {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() && sc.IsSampled() {
		return traceparent(sc)
	}
	return ""
}

func (s scope) writes() bool { return s.byHand || s.annotations != nil && s.annotations.Write }

func (s scope) isSelf(object metav1.Object) bool {
	return s.self != "" && object.GetUID() == s.self
}

func kindOf[A ApplyConfiguration[A]](a A) (apiVersion, kind string) {
	if k := a.GetKind(); k != nil {
		kind = *k
	}
	if v := a.GetAPIVersion(); v != nil {
		apiVersion = *v
	}
	return apiVersion, kind
}

// carriesNone tells which kinds never carry a trace: each is a signal of its own, not work.
func carriesNone(apiVersion, kind string) bool {
	group, _, named := strings.Cut(apiVersion, "/")
	if !named {
		group = ""
	}
	switch kind {
	case "Lease":
		return group == "coordination.k8s.io"
	case "Event":
		return group == "" || group == "events.k8s.io"
	case "Scale":
		return group == "autoscaling"
	}
	return false
}

// carriesNoneOf is carriesNone of an object, which often does not say its kind.
func carriesNoneOf(object Object) bool {
	switch object.(type) {
	case *coordinationv1.Lease, *corev1.Event, *eventsv1.Event, *autoscalingv1.Scale:
		return true
	}
	gvk := object.GetObjectKind().GroupVersionKind()
	return carriesNone(gvk.GroupVersion().String(), gvk.Kind)
}
