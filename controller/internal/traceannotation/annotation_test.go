// SPDX-License-Identifier: Apache-2.0

package traceannotation_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/internal/traceannotation"
)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	spanID  = "b7ad6b7169203331"
	stamp   = "00-" + traceID + "-" + spanID + "-01"
	other   = "00-" + traceID + "-b7ad6b7169203332-01"
)

func annotated(value string) *appsv1.Deployment {
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
		Name: "a", UID: "u", Generation: 1, Annotations: map[string]string{traceannotation.DefaultKey: value, "other": "x"},
	}}
}

func TestOnlyASampledTraceparentOf55CharactersIsALink(t *testing.T) {
	for value, want := range map[string]bool{
		stamp: true, stamp[:54] + "0": false, stamp[:54] + "3": true, "": false, stamp + "-x": false, stamp[:54]: false,
		"01" + stamp[2:]: false, strings.ToUpper(stamp): false, "00-" + strings.Repeat("0", 32) + "-" + spanID + "-01": false,
		"00-" + traceID + "-" + strings.Repeat("0", 16) + "-01": false, "00-" + traceID + "_" + spanID + "-01": false,
		stamp[:53] + "zz": false, strings.Repeat("x", 55): false, strings.Repeat("x", 1<<20): false,
	} {
		link, ok := (*traceannotation.Settings)(nil).LinkFrom(annotated(value))
		if ok != want || ok && (link.SpanContext.TraceID().String() != traceID || link.SpanContext.SpanID().String() != spanID ||
			!link.SpanContext.IsRemote() || link.SpanContext.TraceFlags() != trace.FlagsSampled) {
			t.Errorf("%.80q: %v, %v, want %v", value, link, ok, want)
		}
	}
	if _, ok := (&traceannotation.Settings{Key: "example.com/trace"}).LinkFrom(annotated(stamp)); ok {
		t.Error("read from another key")
	}
}

func TestATraceIsConsumedOnceForEachValueAndGeneration(t *testing.T) {
	c := traceannotation.NewConsumer(nil)
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
	object.Annotations[traceannotation.DefaultKey] = other
	take(true, "another value")
	take(false, "resync")
	object.Generation++
	take(true, "another generation")
	object.UID = "v"
	take(true, "another object")
	object.UID = "u"
	take(false, "the first again")
	object.Annotations[traceannotation.DefaultKey] = "nonsense"
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
		"the value":        {func(d *appsv1.Deployment) { d.Annotations[traceannotation.DefaultKey] = other }, true},
		"the value's loss": {func(d *appsv1.Deployment) { delete(d.Annotations, traceannotation.DefaultKey) }, true},
		"what every write changes": {func(d *appsv1.Deployment) {
			d.Annotations[traceannotation.DefaultKey] = other
			d.ResourceVersion = "2"
			d.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "x"}}
		}, true},
		"no value, but what every write changes": {func(d *appsv1.Deployment) { d.ResourceVersion = "2" }, false},
		"status too": {func(d *appsv1.Deployment) {
			d.Annotations[traceannotation.DefaultKey] = other
			d.Status.Replicas = 1
		}, false},
		"another annotation too": {func(d *appsv1.Deployment) {
			d.Annotations[traceannotation.DefaultKey] = other
			d.Annotations["other"] = "y"
		}, false},
		"the generation too, as a Deployment's does": {func(d *appsv1.Deployment) {
			d.Annotations[traceannotation.DefaultKey] = other
			d.Generation++
		}, true},
		"spec too": {func(d *appsv1.Deployment) {
			d.Annotations[traceannotation.DefaultKey] = other
			d.Generation++
			d.Spec.Paused = true
		}, false},
		"another object": {func(d *appsv1.Deployment) {
			d.Annotations[traceannotation.DefaultKey] = other
			d.UID = "v"
		}, false},
		"deletion too": {func(d *appsv1.Deployment) {
			d.Annotations[traceannotation.DefaultKey] = other
			d.DeletionTimestamp = &metav1.Time{}
		}, false},
	} {
		before, after := annotated(stamp), annotated(stamp)
		c.change(after)
		beforeIs, afterIs := before.DeepCopy(), after.DeepCopy()
		if got := (*traceannotation.Settings)(nil).OnlyTraceChanged(before, after); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		one, two := &unstructured.Unstructured{}, &unstructured.Unstructured{}
		toUnstructured(t, before, one)
		toUnstructured(t, after, two)
		was := two.DeepCopy()
		if got := (*traceannotation.Settings)(nil).OnlyTraceChanged(one, two); got != c.want {
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
	if !(*traceannotation.Settings)(nil).OnlyTraceChanged(bare, first) {
		t.Error("the first annotation of all is more than a trace")
	}
}

func toUnstructured(t *testing.T, object any, to *unstructured.Unstructured) {
	t.Helper()
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}
	to.Object = fields
}

func mustEqual(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("it was changed (-want +got):\n%s", diff)
	}
}
