// SPDX-License-Identifier: Apache-2.0

package tracing_test

import (
	"context"
	"fmt"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/internal/spantest"
	"github.com/lanyard-k8s/lanyard/controller/internal/traceannotation"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
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

func TestAnAnnotationIsALinkNeverAParent(t *testing.T) {
	r := spantest.Record(sdktrace.AlwaysSample())
	ctx, root := r.Reconcile(t.Context())
	tracing.Link(ctx, annotated(stamp))
	tracing.Link(ctx, annotated("nonsense"))
	tracing.Link(t.Context(), annotated(stamp))
	root.End()
	span := r.One(t, "reconcile test")
	if span.Parent.IsValid() || span.SpanContext.TraceID().String() == traceID || len(span.Links) != 1 || span.Links[0].SpanContext.SpanID().String() != spanID {
		t.Errorf("parent %v, links %v", span.Parent, span.Links)
	}
}

func sampledContext(t *testing.T, sampled bool, a *traceannotation.Settings, self types.UID) context.Context {
	sampler := sdktrace.NeverSample()
	if sampled {
		sampler = sdktrace.AlwaysSample()
	}
	ctx, _ := spantest.Record(sampler).Reconcile(t.Context())
	if a != nil {
		ctx = traceannotation.NewContext(work.NewContext(ctx, &work.Unit{UID: self}), a)
	}
	return ctx
}

func stampOf(ctx context.Context) string {
	sc := trace.SpanContextFromContext(ctx)
	return fmt.Sprintf("00-%s-%s-01", sc.TraceID(), sc.SpanID())
}

func TestAnObjectIsStampedWithinACreateOrAChange(t *testing.T) {
	on := &traceannotation.Settings{Write: true}
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
		annotations   *traceannotation.Settings
		self          types.UID
		desired, live *appsv1.Deployment
		want          string
	}{
		"create":                               {true, on, "", changed(""), nil, fresh},
		"create by hand":                       {true, nil, "", changed(""), nil, fresh},
		"create, not sampled":                  {false, on, "", changed(""), nil, ""},
		"create, writing off":                  {true, &traceannotation.Settings{}, "", changed(""), nil, ""},
		"change":                               {true, on, "", changed(stamp), live(stamp), fresh},
		"first change":                         {true, on, "", changed(""), live(""), fresh},
		"change, not sampled":                  {false, on, "", changed(stamp), live(stamp), ""},
		"change that sets it, not sampled":     {false, on, "", changed(other), live(stamp), other},
		"change, writing off":                  {true, &traceannotation.Settings{}, "", changed(stamp), live(stamp), stamp},
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
				tracing.InjectObject(ctx, c.desired, nil)
			} else {
				tracing.InjectObject(ctx, c.desired, c.live)
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
	tracing.InjectObject(sampledContext(t, true, on, ""), lease, nil)
	if len(lease.Annotations) != 0 {
		t.Error("an event was stamped")
	}
}
