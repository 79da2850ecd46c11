// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"k8s.io/klog/v2"
)

// Telemetry says where a manager sends its traces and metrics; see docs/tracing.md and
// docs/metrics.md. The zero value makes neither traces nor metrics, and costs nothing.
//
// The providers belong to the caller. The manager does not use OpenTelemetry's global providers. It
// flushes the providers when a term of leadership ends and before Run returns, but it does not shut
// them down.
type Telemetry struct {
	// TracerProvider makes the spans: one for each reconcile, and below it one for each attempt at
	// an API call. Default: nil, which makes none.
	TracerProvider trace.TracerProvider

	// MeterProvider makes the metrics. Default: nil, which makes none.
	MeterProvider metric.MeterProvider

	// AnnotationKey is the annotation in which objects carry the trace that last changed them.
	// Reconciles are linked to that trace. Default: tracing.k8s.io/traceparent.
	AnnotationKey string

	// WriteAnnotation lets [tracing.Inject] and [tracing.InjectObject] write that annotation.
	// Otherwise they keep what is there. Annotations are read in either case.
	WriteAnnotation bool

	// FlushTimeout limits each flush. Default: two seconds.
	FlushTimeout time.Duration
}

// flusher is what the providers of OpenTelemetry's SDK implement beside its API.
type flusher interface {
	ForceFlush(ctx context.Context) error
}

// flush sends what was recorded, while its caller does something else: a collector that does not
// answer must not keep a successor from the Lease. The channel is closed when it is done. ctx may
// have ended.
func (t *Telemetry) flush(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	if t.TracerProvider == nil && t.MeterProvider == nil {
		close(done)
		return done
	}
	go func() {
		defer close(done)
		t.flushNow(ctx)
	}()
	return done
}

func (t *Telemetry) flushNow(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.FlushTimeout)
	defer cancel()
	var errs []error
	for _, provider := range []any{t.TracerProvider, t.MeterProvider} {
		if f, ok := provider.(flusher); ok {
			errs = append(errs, f.ForceFlush(ctx))
		}
	}
	if err := errors.Join(errs...); err != nil {
		klog.FromContext(ctx).Info("Telemetry was not sent", "err", err)
	}
}
