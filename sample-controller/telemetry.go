// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/tracing/sampling"
	"github.com/lanyard-k8s/lanyard/sample-controller/flunder"
)

// telemetrySettings says where traces and metrics go. Beside the flags the standard OTEL_*
// variables count.
type telemetrySettings struct {
	otlpEndpoint   string
	traceRatio     float64
	traceAnnotate  bool
	traceKeep      bool
	metricsAddress string
	otlpMetrics    bool
}

// telemetry is what exports, and has to be shut down at the end.
type telemetry struct {
	controller.Telemetry
	metrics  http.Handler // in Prometheus form; nil for none
	shutdown []func(context.Context) error
}

// collector reports whether a signal, TRACES or METRICS, has somewhere to go. Beside the flag, the
// standard variables say where.
func (s *telemetrySettings) collector(signal string) bool {
	if s.otlpEndpoint != "" {
		return true
	}
	return !disabled() &&
		(os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != "")
}

func disabled() bool { return os.Getenv("OTEL_SDK_DISABLED") == "true" }

// validate refuses what could have no effect, or not the one that was meant. given are the flags
// that were set.
func (s *telemetrySettings) validate(given map[string]bool) error {
	if !(s.traceRatio >= 0 && s.traceRatio <= 1) { // nor NaN
		return fmt.Errorf("-trace-ratio=%v: it is a part of all, from 0 to 1", s.traceRatio)
	}
	if s.otlpEndpoint != "" {
		if u, err := url.Parse(s.otlpEndpoint); err != nil ||
			u.Scheme != "http" && u.Scheme != "https" ||
			u.Host == "" {
			return fmt.Errorf(
				"-otlp-endpoint=%s: it has to be a URL, such as http://localhost:4318",
				s.otlpEndpoint,
			)
		}
	}
	if disabled() { // by someone who need not know the flags
		return nil
	}
	const remedy = "name a collector with -otlp-endpoint, or with the variable OTEL_EXPORTER_OTLP_ENDPOINT"
	for _, flag := range []struct {
		name, signal string
		set          bool
	}{
		{"trace-ratio", "TRACES", given["trace-ratio"]},
		{"trace-keep", "TRACES", s.traceKeep},
		{"trace-annotate", "TRACES", s.traceAnnotate},
		{"otlp-metrics", "METRICS", s.otlpMetrics},
	} {
		if flag.set && !s.collector(flag.signal) {
			return fmt.Errorf(
				"-%s has no effect, because nothing is sent anywhere: %s",
				flag.name,
				remedy,
			)
		}
	}
	return nil
}

// newTelemetry makes the providers that were asked for. Nothing global is set.
func newTelemetry(ctx context.Context, s *telemetrySettings, instance string) (*telemetry, error) {
	t := &telemetry{}
	t.WriteAnnotation = s.traceAnnotate
	traces, pushes := s.collector("TRACES"), s.otlpMetrics && s.collector("METRICS")
	if !traces && !pushes && s.metricsAddress == "" {
		return t, nil
	}
	res, err := resource.New(
		ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(
			attribute.String("service.name", flunder.FieldManager),
			attribute.String("service.instance.id", instance),
		),
		resource.WithFromEnv(),
	)
	if err != nil { // telemetry is not worth an outage, and what has been understood is there
		klog.FromContext(ctx).
			Info("Telemetry does not say all that it was to say about this process", "err", err)
	}
	if traces {
		if err := t.trace(ctx, s, res); err != nil {
			return nil, err
		}
	}
	readers := []sdkmetric.Option{}
	if s.metricsAddress != "" {
		registry := prometheus.NewRegistry() // not the process's
		exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry))
		if err != nil {
			return nil, fmt.Errorf("serve metrics in Prometheus form: %w", err)
		}
		readers = append(readers, sdkmetric.WithReader(exporter))
		t.metrics = promhttp.HandlerFor(
			registry,
			promhttp.HandlerOpts{EnableOpenMetrics: true},
		) // which can carry exemplars
	}
	if pushes {
		var options []otlpmetrichttp.Option
		if s.otlpEndpoint != "" {
			options = append(
				options,
				otlpmetrichttp.WithEndpointURL(
					strings.TrimSuffix(s.otlpEndpoint, "/")+"/v1/metrics",
				),
			)
		}
		exporter, err := otlpmetrichttp.New(ctx, options...)
		if err != nil {
			return nil, fmt.Errorf("push metrics: %w", err)
		}
		readers = append(readers, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)))
	}
	if len(readers) > 0 {
		provider := sdkmetric.NewMeterProvider(append(readers, sdkmetric.WithResource(res))...)
		t.MeterProvider = provider
		t.shutdown = append(t.shutdown, provider.Shutdown)
	}
	return t, nil
}

func (t *telemetry) trace(ctx context.Context, s *telemetrySettings, res *resource.Resource) error {
	var options []otlptracehttp.Option
	if s.otlpEndpoint != "" {
		options = append(
			options,
			otlptracehttp.WithEndpointURL(strings.TrimSuffix(s.otlpEndpoint, "/")+"/v1/traces"),
		)
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return fmt.Errorf("send traces: %w", err)
	}
	processor := sdktrace.NewBatchSpanProcessor(exporter)
	if s.traceKeep {
		processor = sampling.NewKeepFilter(processor, sampling.KeepOptions{})
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithResource(res),
		sdktrace.WithSpanProcessor(processor),
		sdktrace.WithSampler(sampling.Sampler(s.traceRatio, sampling.Budget{})),
	)
	t.TracerProvider = provider
	t.shutdown = append(t.shutdown, provider.Shutdown)
	return nil
}

// exportTimeout bounds what is sent at the very end. The manager has flushed before.
const exportTimeout = 2 * time.Second

// stop sends what is left and ends the exporters. ctx may have ended.
func (t *telemetry) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exportTimeout)
	defer cancel()
	var errs []error
	for _, shutdown := range t.shutdown {
		errs = append(errs, shutdown(ctx))
	}
	return errors.Join(errs...)
}
