// SPDX-License-Identifier: Apache-2.0

package program

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"

	"github.com/lanyard-k8s/lanyard/controller"
)

// Telemetry exports what a program traces and measures. Its methods are called once, in this order. If it has a
// method SetLogger(logr.Logger) too, that is called after Process.SetLogger, for what its libraries log for the
// whole process.
type Telemetry interface {
	// AddFlags adds the flags. The program has -metrics-addr itself.
	AddFlags(flags *flag.FlagSet)

	// Validate returns an error for settings that cannot be used. flags are all of the program's, parsed:
	// Visit of it has those that are set, by a flag or by a variable.
	Validate(flags *flag.FlagSet) error

	// Start makes what exports.
	Start(ctx context.Context, service Service) (Exports, error)
}

// Service says what the telemetry is about.
type Service struct {
	// Name is the program's.
	Name string
	// Instance is the name of the pod, from the variable POD_NAME; empty if it is not known.
	Instance string
	// Metrics is whether Exports.Metrics will be served.
	Metrics bool
}

// Exports are what a program exports with. The zero value exports nothing.
type Exports struct {
	// Telemetry is for the manager.
	Telemetry controller.Telemetry

	// Metrics serves what is measured. It is required if Service.Metrics is true.
	Metrics http.Handler

	// Stop sends what is left and ends the exporters. Its context has the values of that of [Run], and has
	// usually ended, so Stop must bound the time that it takes itself. An error is logged. Default: nil,
	// with which nothing is done.
	Stop func(ctx context.Context) error
}

// stop calls Stop, if there is one.
func (e *Exports) stop(ctx context.Context) error {
	if e.Stop == nil {
		return nil
	}
	return e.Stop(ctx)
}

// startTelemetry starts t, which may be nil, and adds what it exports with to the manager's options.
func startTelemetry(
	ctx context.Context, t Telemetry, service Service, manager *controller.ManagerOptions,
) (*Exports, error) {
	if t == nil {
		return &Exports{}, nil
	}
	exports, err := t.Start(ctx, service)
	if err != nil {
		return nil, fmt.Errorf("start the telemetry: %w", err)
	}
	if service.Metrics && exports.Metrics == nil {
		err := errors.New("-metrics-addr: the telemetry of this program has no metrics to serve: leave the flag out")
		return nil, errors.Join(err, exports.stop(ctx))
	}
	manager.Telemetry = merged(exports.Telemetry, manager.Telemetry)
	return &exports, nil
}

// merged returns t with the fields of defaults where t has none.
func merged(t, defaults controller.Telemetry) controller.Telemetry {
	if t.TracerProvider == nil {
		t.TracerProvider = defaults.TracerProvider
	}
	if t.MeterProvider == nil {
		t.MeterProvider = defaults.MeterProvider
	}
	t.AnnotationKey = cmp.Or(t.AnnotationKey, defaults.AnnotationKey)
	t.WriteAnnotation = t.WriteAnnotation || defaults.WriteAnnotation
	t.FlushTimeout = cmp.Or(t.FlushTimeout, defaults.FlushTimeout)
	return t
}
