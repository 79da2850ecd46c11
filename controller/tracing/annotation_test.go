package tracing_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	spanID  = "b7ad6b7169203331"
	stamp   = "00-" + traceID + "-" + spanID + "-01"
	other   = "00-" + traceID + "-b7ad6b7169203332-01"
)

func annotated(value string) *appsv1.Deployment {
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
		Name: "a", UID: "u", Generation: 1, Annotations: map[string]string{tracing.AnnotationKey: value, "other": "x"},
	}}
}

func TestOnlyASampledTraceparentOf55CharactersIsALink(t *testing.T) {
	for value, want := range map[string]bool{
		stamp: true, stamp[:54] + "0": false, stamp[:54] + "3": true, "": false, stamp + "-x": false, stamp[:54]: false,
		"01" + stamp[2:]: false, strings.ToUpper(stamp): false, "00-" + strings.Repeat("0", 32) + "-" + spanID + "-01": false,
		"00-" + traceID + "-" + strings.Repeat("0", 16) + "-01": false, "00-" + traceID + "_" + spanID + "-01": false,
		stamp[:53] + "zz": false, strings.Repeat("x", 55): false, strings.Repeat("x", 1<<20): false,
	} {
		link, ok := (*tracing.Annotations)(nil).LinkFrom(annotated(value))
		if ok != want || ok && (link.SpanContext.TraceID().String() != traceID || link.SpanContext.SpanID().String() != spanID ||
			!link.SpanContext.IsRemote() || link.SpanContext.TraceFlags() != trace.FlagsSampled) {
			t.Errorf("%.80q: %v, %v, want %v", value, link, ok, want)
		}
	}
	if _, ok := (&tracing.Annotations{IgnoreRead: true}).LinkFrom(annotated(stamp)); ok {
		t.Error("read although it is not to be")
	}
	if _, ok := (&tracing.Annotations{Key: "example.com/trace"}).LinkFrom(annotated(stamp)); ok {
		t.Error("read from another key")
	}
}

func TestAnAnnotationIsALinkNeverAParent(t *testing.T) {
	r := record(sdktrace.AlwaysSample())
	ctx, root := r.reconcile(t.Context())
	tracing.Continue(ctx, annotated(stamp))
	tracing.Continue(ctx, annotated("nonsense"))
	tracing.Continue(t.Context(), annotated(stamp))
	root.End()
	span := r.one(t, "reconcile test")
	if span.Parent.IsValid() || span.SpanContext.TraceID().String() == traceID || len(span.Links) != 1 || span.Links[0].SpanContext.SpanID().String() != spanID {
		t.Errorf("parent %v, links %v", span.Parent, span.Links)
	}
	_, root = r.reconcile(t.Context())
	tracing.Continue(tracing.NewContext(trace.ContextWithSpan(t.Context(), root), &tracing.Annotations{IgnoreRead: true}, ""), annotated(stamp))
	root.End()
	if span := r.named("reconcile test")[1]; len(span.Links) != 0 {
		t.Error("linked although annotations are not to be read")
	}
}

func TestATraceIsConsumedOnceForEachValueAndGeneration(t *testing.T) {
	c := tracing.NewConsumer(nil)
	object := annotated(stamp)
	take := func(want bool, when string) {
		t.Helper()
		if _, ok := c.Take(object); ok != want {
			t.Errorf("%s: taken %v", when, ok)
		}
	}
	take(true, "first seen")
	for range 3 {
		take(false, "resync")
	}
	object.Annotations[tracing.AnnotationKey] = other
	take(true, "another value")
	take(false, "resync")
	object.Generation++
	take(true, "another generation")
	object.UID = "v"
	take(true, "another object")
	object.UID = "u"
	take(false, "the first again")
	object.Annotations[tracing.AnnotationKey] = "nonsense"
	take(false, "nonsense")
	for i := range 10_000 {
		object := annotated(stamp)
		object.UID = types.UID(fmt.Sprint(i))
		c.Take(object)
	}
	if n := c.Remembered(); n > 4096 {
		t.Errorf("%d objects are remembered", n)
	}
}

func TestAnUpdateOfTheTraceAloneIsKnown(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*appsv1.Deployment)
		want   bool
	}{
		"nothing":          {func(*appsv1.Deployment) {}, false},
		"the value":        {func(d *appsv1.Deployment) { d.Annotations[tracing.AnnotationKey] = other }, true},
		"the value's loss": {func(d *appsv1.Deployment) { delete(d.Annotations, tracing.AnnotationKey) }, true},
		"what every write changes": {func(d *appsv1.Deployment) {
			d.Annotations[tracing.AnnotationKey] = other
			d.ResourceVersion = "2"
			d.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "x"}}
		}, true},
		"no value, but what every write changes": {func(d *appsv1.Deployment) { d.ResourceVersion = "2" }, false},
		"status too": {func(d *appsv1.Deployment) {
			d.Annotations[tracing.AnnotationKey] = other
			d.Status.Replicas = 1
		}, false},
		"another annotation too": {func(d *appsv1.Deployment) {
			d.Annotations[tracing.AnnotationKey] = other
			d.Annotations["other"] = "y"
		}, false},
		"the generation too, as a Deployment's does": {func(d *appsv1.Deployment) {
			d.Annotations[tracing.AnnotationKey] = other
			d.Generation++
		}, true},
		"spec too": {func(d *appsv1.Deployment) {
			d.Annotations[tracing.AnnotationKey] = other
			d.Generation++
			d.Spec.Paused = true
		}, false},
		"another object": {func(d *appsv1.Deployment) {
			d.Annotations[tracing.AnnotationKey] = other
			d.UID = "v"
		}, false},
		"deletion too": {func(d *appsv1.Deployment) {
			d.Annotations[tracing.AnnotationKey] = other
			d.DeletionTimestamp = &metav1.Time{}
		}, false},
	} {
		before, after := annotated(stamp), annotated(stamp)
		c.change(after)
		beforeIs, afterIs := before.DeepCopy(), after.DeepCopy()
		if got := (*tracing.Annotations)(nil).OnlyTraceChanged(before, after); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		one, two := &unstructured.Unstructured{}, &unstructured.Unstructured{}
		toUnstructured(t, before, one)
		toUnstructured(t, after, two)
		was := two.DeepCopy()
		if got := (*tracing.Annotations)(nil).OnlyTraceChanged(one, two); got != c.want {
			t.Errorf("%s, unstructured: %v", name, got)
		}
		mustEqual(t, before, beforeIs)
		mustEqual(t, after, afterIs)
		mustEqual(t, two, was)
	}
	first := annotated(stamp)
	delete(first.Annotations, "other")
	bare := first.DeepCopy()
	bare.Annotations = nil
	if !(*tracing.Annotations)(nil).OnlyTraceChanged(bare, first) {
		t.Error("the first annotation of all is more than a trace")
	}
}

func sampledContext(t *testing.T, sampled bool, a *tracing.Annotations, self types.UID) context.Context {
	sampler := sdktrace.NeverSample()
	if sampled {
		sampler = sdktrace.AlwaysSample()
	}
	ctx, _ := record(sampler).reconcile(t.Context())
	if a != nil {
		ctx = tracing.NewContext(ctx, a, self)
	}
	return ctx
}

func stampOf(ctx context.Context) string {
	sc := trace.SpanContextFromContext(ctx)
	return fmt.Sprintf("00-%s-%s-01", sc.TraceID(), sc.SpanID())
}

func TestAnObjectIsStampedWithinACreateOrAChange(t *testing.T) {
	on := &tracing.Annotations{Write: true}
	live := func(trace string) *appsv1.Deployment {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "live", ResourceVersion: "7"}}
		d.Spec.Replicas = ptr.To[int32](1)
		if trace != "" {
			d.Annotations = map[string]string{tracing.AnnotationKey: trace}
		}
		return d
	}
	changed := func(trace string) *appsv1.Deployment {
		d := live(trace)
		d.Spec.Replicas = ptr.To[int32](2)
		return d
	}
	const fresh = "fresh"
	for name, c := range map[string]struct {
		sampled       bool
		annotations   *tracing.Annotations
		self          types.UID
		desired, live *appsv1.Deployment
		want          string
	}{
		"create":                               {true, on, "", changed(""), nil, fresh},
		"create by hand":                       {true, nil, "", changed(""), nil, fresh},
		"create, not sampled":                  {false, on, "", changed(""), nil, ""},
		"create, writing off":                  {true, &tracing.Annotations{}, "", changed(""), nil, ""},
		"change":                               {true, on, "", changed(stamp), live(stamp), fresh},
		"first change":                         {true, on, "", changed(""), live(""), fresh},
		"change, not sampled":                  {false, on, "", changed(stamp), live(stamp), ""},
		"change that sets it, not sampled":     {false, on, "", changed(other), live(stamp), other},
		"change, writing off":                  {true, &tracing.Annotations{}, "", changed(stamp), live(stamp), stamp},
		"no change":                            {true, on, "", live(stamp), live(stamp), stamp},
		"no change, from scratch":              {true, on, "", live(""), live(stamp), stamp},
		"no change, not there":                 {true, on, "", live(""), live(""), ""},
		"change of what is being reconciled":   {true, on, "live", changed(stamp), live(stamp), stamp},
		"the same, and it carries none so far": {true, on, "live", changed(""), live(""), ""},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := sampledContext(t, c.sampled, c.annotations, c.self)
			if c.want == fresh {
				c.want = stampOf(ctx)
			}
			shared := c.desired.Annotations // as in an object that was copied by assignment
			was := shared[tracing.AnnotationKey]
			if c.live == nil {
				tracing.StampObject(ctx, c.desired, nil)
			} else {
				tracing.StampObject(ctx, c.desired, c.live)
			}
			if got := c.desired.Annotations[tracing.AnnotationKey]; got != c.want {
				t.Errorf("stamped %q, want %q", got, c.want)
			}
			if shared[tracing.AnnotationKey] != was {
				t.Error("the map that desired may share was changed")
			}
		})
	}
	lease := &corev1.Event{}
	tracing.StampObject(sampledContext(t, true, on, ""), lease, nil)
	if len(lease.Annotations) != 0 {
		t.Error("an event was stamped")
	}
}
