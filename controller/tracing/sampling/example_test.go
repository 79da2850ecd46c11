// SPDX-License-Identifier: Apache-2.0

package sampling_test

import (
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/tracing/sampling"
)

// One reconcile in a hundred is traced, beside those that a sampled change led to.
func ExampleSampler_manager() {
	traced := func(config *rest.Config, exporter sdktrace.SpanExporter) *controller.Manager {
		provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter),
			sdktrace.WithSampler(sampling.Sampler(0.01, sampling.Budget{})))
		m := controller.NewManager(config, controller.ManagerOptions{
			Telemetry: controller.Telemetry{TracerProvider: provider},
		})
		return m
	}
	_ = traced
}
