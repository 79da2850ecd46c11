// SPDX-License-Identifier: Apache-2.0

// The program under test on Lanyard with all of its telemetry: tracing, one reconcile in a hundred sampled, and
// metrics. Both are made and batched as in production; what sends them is left out, because the network's part is
// the same for everybody.
package main

import (
	"context"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/tracing/sampling"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/onlanyard"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
)

const ratio = 0.01

func main() { program.Main(context.Background(), run) }

func run(ctx context.Context, config *rest.Config, s *program.Settings, p *program.Probe) error {
	traces := sdktrace.NewTracerProvider(sdktrace.WithSampler(sampling.Sampler(ratio, sampling.Budget{})), sdktrace.WithBatcher(spans{}))
	meters := metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(metrics{})))
	defer func() { // they send nothing that could be lost
		_ = traces.Shutdown(context.WithoutCancel(ctx))
		_ = meters.Shutdown(context.WithoutCancel(ctx))
	}()
	return onlanyard.Run(ctx, config, s, p, controller.ManagerOptions{
		Telemetry: controller.Telemetry{TracerProvider: traces, MeterProvider: meters},
	})
}

// spans is an exporter.
type spans struct{}

func (spans) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (spans) Shutdown(context.Context) error                             { return nil }

// metrics is an exporter.
type metrics struct{}

func (metrics) Temporality(metric.InstrumentKind) metricdata.Temporality {
	return metricdata.CumulativeTemporality
}
func (metrics) Aggregation(k metric.InstrumentKind) metric.Aggregation {
	return metric.DefaultAggregationSelector(k)
}
func (metrics) Export(context.Context, *metricdata.ResourceMetrics) error { return nil }
func (metrics) ForceFlush(context.Context) error                          { return nil }
func (metrics) Shutdown(context.Context) error                            { return nil }
