// SPDX-License-Identifier: Apache-2.0

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

	"github.com/lanyard-k8s/lanyard/controller/internal/traceannotation"
	"github.com/lanyard-k8s/lanyard/controller/internal/traceparent"
)

// ApplyConfiguration is a generated apply configuration of an API object. A pod template is none.
type ApplyConfiguration[A any] interface {
	GetKind() *string
	GetAPIVersion() *string
	WithAnnotations(entries map[string]string) A
}

// Inject writes the trace of ctx into an annotation of desired, so that the next controller that
// reconciles the object can link to it. Call it on an object that is about to be applied:
//
//	deployment, err := client.Apply(ctx, tracing.Inject(ctx, desired, live), options)
//
// live is the object as it exists, or nil if it does not exist. What Inject does depends on what
// the apply will do:
//   - If desired would change nothing in live, or if Inject cannot tell whether it would, Inject
//     keeps the annotation of live, so that the apply still changes nothing.
//   - If desired changes live and the trace of ctx is sampled, Inject sets the annotation.
//   - If desired changes live and the trace of ctx is not sampled, Inject removes the annotation,
//     because nobody could look up the trace.
//
// In a reconcile, Inject returns desired unchanged unless Telemetry.WriteAnnotation is set. It
// never writes the annotation into the reconciled object itself, nor into a Lease, Event or Scale.
// Do not use it for a status: the API server accepts no annotations there.
func Inject[A ApplyConfiguration[A]](ctx context.Context, desired A, live Object) A {
	settings := traceannotation.SettingsOf(ctx)
	if !settings.Writes() || carriesNone(kindOf(desired)) {
		return desired
	}
	key := settings.AnnotationKey()
	stamp := freshStamp(ctx)
	if !isNil(live) {
		there, had := live.GetAnnotations()[key]
		if (had || stamp != "") && (traceannotation.IsReconciled(ctx, live) || !applyChanges(desired, live)) {
			stamp = there
		}
	}
	if stamp == "" {
		return desired
	}
	return desired.WithAnnotations(map[string]string{key: stamp})
}

// InjectObject writes the trace of ctx into an annotation of desired, or removes it, by the rules
// of [Inject]. Call it before a create, with nil for live, or before an update of live to desired.
func InjectObject(ctx context.Context, desired, live Object) {
	settings := traceannotation.SettingsOf(ctx)
	if !settings.Writes() || carriesNoneOf(desired) {
		return
	}
	key := settings.AnnotationKey()
	stamp := freshStamp(ctx)
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
	case traceannotation.IsReconciled(ctx, live), traceannotation.Same(desired, live, key):
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

// freshStamp returns the annotation for the trace of ctx; empty for none.
func freshStamp(ctx context.Context) string {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() && sc.IsSampled() {
		return traceparent.Format(sc)
	}
	return ""
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

// carriesNone reports whether objects of a kind never carry a trace, because they are signals and
// not work.
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

// carriesNoneOf is carriesNone for an object, which often does not have its kind set.
func carriesNoneOf(object Object) bool {
	switch object.(type) {
	case *coordinationv1.Lease, *corev1.Event, *eventsv1.Event, *autoscalingv1.Scale:
		return true
	}
	gvk := object.GetObjectKind().GroupVersionKind()
	return carriesNone(gvk.GroupVersion().String(), gvk.Kind)
}
