// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/program"
)

// Start makes the providers that were asked for. Nothing global is set.
func (t *Telemetry) Start(ctx context.Context, service program.Service) (program.Exports, error) {
	e := &exports{}
	if err := e.start(ctx, t, service); err != nil {
		return program.Exports{}, errors.Join(err, e.stop(ctx))
	}
	return program.Exports{Telemetry: e.Telemetry, Metrics: e.served, Stop: e.stop}, nil
}

func (e *exports) start(ctx context.Context, t *Telemetry, service program.Service) error {
	e.WriteAnnotation = t.traceAnnotate
	traces, pushes := t.collector(traces), t.otlpMetrics && t.collector(metrics)
	if !traces && !pushes && !service.Metrics {
		return nil
	}
	res := describe(ctx, service)
	if traces {
		if err := e.trace(ctx, t, res); err != nil {
			return err
		}
	}
	return e.measure(ctx, t.otlpEndpoint, pushes, service.Metrics, res)
}

// describe says which process the telemetry is of.
func describe(ctx context.Context, service program.Service) *resource.Resource {
	res, err := resource.New(
		ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(
			attribute.String("service.name", service.Name),
			attribute.String("service.instance.id", service.Instance),
		),
		resource.WithFromEnv(),
	)
	if err != nil { // telemetry is not worth an outage, and what has been understood is there
		klog.FromContext(ctx).
			Info("Telemetry does not say all that it was to say about this process", "err", err)
	}
	return res
}
