// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/internal/race"
)

// forgotten is a span processor that has spans recorded, and no more: what an exporter costs is its
// own.
type forgotten struct{}

func (forgotten) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (forgotten) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (forgotten) Shutdown(context.Context) error                  { return nil }
func (forgotten) ForceFlush(context.Context) error                { return nil }

// telemetries are the ways in which a reconcile may be watched.
func telemetries() map[string]controller.Telemetry {
	var metrics metric.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	return map[string]controller.Telemetry{
		"off":       {},
		"unsampled": {TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()), sdktrace.WithSpanProcessor(forgotten{}))},
		"sampled":   {TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(forgotten{}))},
		"metrics":   {MeterProvider: metrics},
		"both": {TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(forgotten{})),
			MeterProvider: metrics},
	}
}

// BenchmarkTelemetry is BenchmarkItem's item with telemetry. The same without any of this code is
// BenchmarkItem/bare, client-go alone; what it adds to the framework when it is off is nil checks.
func BenchmarkTelemetry(b *testing.B) {
	for _, name := range []string{"off", "unsampled", "sampled", "metrics", "both"} {
		b.Run(name, func(b *testing.B) {
			once := itemWith(b, telemetries()[name])
			b.ReportAllocs()
			for b.Loop() {
				once()
			}
		})
	}
}

func TestAllocationsOfTelemetryArePinned(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates too")
	}
	off := testing.AllocsPerRun(2000, itemWith(t, controller.Telemetry{}))
	if off > itemAllocations {
		t.Errorf("off, a reconcile allocates %v times, and %v without any of this", off, itemAllocations)
	}
	for name, most := range map[string]float64{"unsampled": 8, "sampled": 27, "metrics": 0} {
		if more := testing.AllocsPerRun(2000, itemWith(t, telemetries()[name])) - off; more > most {
			t.Errorf("%s: a reconcile allocates %v times more than without telemetry, want at most %v", name, more, most)
		}
	}
}
