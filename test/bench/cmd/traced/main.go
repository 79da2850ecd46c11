// The program under test on Lanyard with tracing, one reconcile in a hundred sampled. Spans are made and batched
// as in production; what sends them is left out, because the network's part is the same for everybody.
package main

import (
	"context"

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
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sampling.Sampler(ratio, sampling.Budget{})), sdktrace.WithBatcher(discard{}))
	defer func() { _ = provider.Shutdown(context.WithoutCancel(ctx)) }() // it sends nothing that could be lost
	return onlanyard.Run(ctx, config, s, p, controller.Options{Telemetry: controller.Telemetry{TracerProvider: provider}})
}

// discard is an exporter.
type discard struct{}

func (discard) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (discard) Shutdown(context.Context) error                             { return nil }
