// SPDX-License-Identifier: Apache-2.0

// The sample controller reconciles Flunders. Copy its main for a controller of your own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/sample-controller/flunder"
)

func main() {
	err := run(context.Background(), os.Args[1:], os.Stderr)
	if err == nil {
		return
	}
	if errors.Is(err, errWouldChange) {
		os.Exit(2)
	}
	fmt.Fprintf(os.Stderr, "flunder-controller: %v\n", err)
	os.Exit(1)
}

// run is main without the process. It returns when ctx or a signal has ended and everything has
// stopped.
func run(ctx context.Context, args []string, output io.Writer) error {
	s, err := parse(args, output)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w (-help lists the flags)", err)
	}
	logger, err := newLogger(s.logFormat, s.verbosity, output)
	if err != nil {
		return err
	}
	klog.SetLogger(logger) // for the lines that client-go writes without a context
	setUpOpenTelemetrysLog(logger)
	ctx = klog.NewContext(ctx, logger)

	config, err := controller.LoadConfig(s.kubeconfig)
	if err != nil {
		return fmt.Errorf("%w (-kubeconfig names another)", err)
	}
	config.UserAgent = flunder.FieldManager
	exports, err := newTelemetry(ctx, &s.telemetry, s.flunder.Instance)
	if err != nil {
		return err
	}
	s.manager.Telemetry = exports.Telemetry
	m := controller.NewManager(config, s.manager)
	ctx, stop := controller.SignalContext(ctx, m)
	defer stop()
	if _, err := flunder.Setup(m, s.flunder); err != nil {
		return err
	}
	if s.healthAddress != "" {
		m.AddRunnable("health", serveHealth(s.healthAddress, m))
	}
	if exports.metrics != nil {
		m.AddRunnable("metrics", serveMetrics(s.telemetry.metricsAddress, exports.metrics))
	}
	if s.plan {
		err = printPlan(ctx, m, os.Stdout)
	} else {
		err = m.Run(ctx)
	}
	if err := exports.stop(ctx); err != nil {
		logger.Info("Telemetry was not sent", "err", err)
	}
	if ctx.Err() != nil { // otherwise err says it all
		if s.logFormat == "json" { // each line is a record
			logger.Info("Stopped", "report", m.Report().String())
		} else {
			fmt.Fprint(output, m.Report())
		}
	}
	return err
}
