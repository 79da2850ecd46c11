// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
)

func TestSlotsAreMeasuredAndTraced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := virtualtest.NewAPI(t)
		api.Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "cm"}})
		h := newHands(t, 0)
		reader, telemetry := measured()
		exporter := tracetest.NewInMemoryExporter()
		telemetry.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
		a := h.replica(api, "a", func(o *controller.ManagerOptions) { o.Telemetry = telemetry })
		time.Sleep(5 * time.Second)
		b := h.replica(api, "b")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		share := shared(t, 64, a, b)
		for name, want := range map[string]map[string]float64{
			"lanyard.sharding.slots":       {"": float64(share[0])},
			"lanyard.sharding.slots.begun": {"": 64},
			"lanyard.sharding.slots.ended": {
				"resigned": float64(share[1]), "deleted": 0, "edited": 0, "expired": 0, "refused": 0, "released": 0, "stuck": 0, "taken": 0,
			},
		} {
			if got := values(t, reader, name); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
		begun, ended := map[string]bool{}, 0
		for _, span := range exporter.GetSpans() {
			slot := attributeOf(span.Attributes, semconv.AttrSlot)
			switch span.Name {
			case semconv.SpanSlotBegin:
				begun[slot] = true
			case semconv.SpanSlotEnd:
				ended++
				if !begun[slot] || attributeOf(span.Attributes, semconv.AttrTermEnd) != "resigned" {
					t.Errorf("the end of slot %s: %v", slot, span.Attributes)
				}
			}
		}
		if len(begun) != 64 || ended != share[1] {
			t.Errorf("spans of %d slots' beginnings and %d ends; %d slots have moved", len(begun), ended, share[1])
		}
	})
}
