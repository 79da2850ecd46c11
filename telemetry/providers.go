// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/lanyard-k8s/lanyard/controller/tracing/sampling"
)

// trace makes the provider that sends traces.
func (e *exports) trace(ctx context.Context, t *Telemetry, res *resource.Resource) error {
	var options []otlptracehttp.Option
	if t.otlpEndpoint != "" {
		options = append(options, otlptracehttp.WithEndpointURL(at(t.otlpEndpoint, "/v1/traces")))
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return fmt.Errorf("send traces: %w", err)
	}
	processor := sdktrace.NewBatchSpanProcessor(exporter)
	if t.traceKeep {
		processor = sampling.NewKeepFilter(processor, sampling.KeepOptions{})
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithResource(res),
		sdktrace.WithSpanProcessor(processor),
		sdktrace.WithSampler(sampling.Sampler(t.traceRatio, sampling.Budget{})),
	)
	e.TracerProvider = provider
	e.shutdown = append(e.shutdown, provider.Shutdown)
	return nil
}

// measure makes the provider that pushes metrics to the endpoint, or has them served, or both.
func (e *exports) measure(
	ctx context.Context, endpoint string, pushed, served bool, res *resource.Resource,
) error {
	readers := []sdkmetric.Option{sdkmetric.WithResource(res)}
	if served {
		registry := prometheus.NewRegistry() // not the process's
		registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
		exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry))
		if err != nil {
			return fmt.Errorf("serve metrics in Prometheus form: %w", err)
		}
		readers = append(readers, sdkmetric.WithReader(exporter))
		// OpenMetrics can carry exemplars.
		e.served = promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
	}
	if pushed {
		var options []otlpmetrichttp.Option
		if endpoint != "" {
			options = append(options, otlpmetrichttp.WithEndpointURL(at(endpoint, "/v1/metrics")))
		}
		exporter, err := otlpmetrichttp.New(ctx, options...)
		if err != nil {
			return fmt.Errorf("push metrics: %w", err)
		}
		readers = append(readers, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)))
	}
	if served || pushed {
		provider := sdkmetric.NewMeterProvider(readers...)
		e.MeterProvider = provider
		e.shutdown = append(e.shutdown, provider.Shutdown)
	}
	return nil
}

// at returns the address of a signal at a collector.
func at(endpoint, path string) string { return strings.TrimSuffix(endpoint, "/") + path }
