// SPDX-License-Identifier: Apache-2.0

package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
)

// Run is [Main] without what only a process can do: it returns what Main prints and exits with. It
// returns when ctx or a signal has ended and everything has stopped, or when a part has failed. After
// -help it returns nil. See [ExitCode] for the error.
func Run(
	ctx context.Context, o Options, process Process, setUp func(*controller.Manager) error,
) error {
	if o.Name == "" {
		return errors.New("run the program: set Options.Name, which messages and variables begin with")
	}
	p := process.withDefaults()
	s, err := parse(o, p)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	logger, err := newLogger(s.logFormat, s.verbosity, p.Stderr)
	if err != nil {
		return err
	}
	setLogger(p, o.Telemetry, logger)
	ctx = klog.NewContext(ctx, logger)
	return run(ctx, o, p, s, setUp)
}

// setLogger sets the logger of a process, if the program may, and then that of telemetry which has one.
func setLogger(p Process, t Telemetry, logger logr.Logger) {
	if p.SetLogger == nil {
		return
	}
	p.SetLogger(logger)
	if own, ok := t.(interface{ SetLogger(logger logr.Logger) }); ok {
		own.SetLogger(logger)
	}
}

func run(
	ctx context.Context, o Options, p Process, s *settings, setUp func(*controller.Manager) error,
) error {
	config, err := p.LoadConfig(s.kubeconfig)
	if err != nil {
		return fmt.Errorf("%w (-kubeconfig names another)", err)
	}
	config.UserAgent = o.Name
	options := s.options()
	service := Service{
		Name: o.Name, Instance: mapOf(p.Environment)["POD_NAME"], Metrics: s.metricsAddress != "",
	}
	exports, err := startTelemetry(ctx, o.Telemetry, service, &options)
	if err != nil {
		return err
	}
	m := controller.NewManager(config, options)
	ctx, stop := p.Signals(ctx, m)
	defer stop()
	if err = setUp(m); err != nil {
		err = fmt.Errorf("set up the manager: %w", err)
	} else {
		err = addServers(m, s, o.Name, exports)
	}
	if err == nil {
		err = work(ctx, m, s, p.Stdout)
	}
	if err := exports.stop(ctx); err != nil {
		klog.FromContext(ctx).Info("Telemetry was not sent", "err", err)
	}
	// Without an end err says it all, and without a run there is nothing to report.
	if ctx.Err() != nil && m.Report().Cause != nil {
		printReport(klog.FromContext(ctx), m, s, p.Stderr)
	}
	return err
}

// work runs the manager, or runs it dry.
func work(ctx context.Context, m *controller.Manager, s *settings, stdout io.Writer) error {
	if s.plan {
		return printPlan(ctx, m, stdout)
	}
	return m.Run(ctx)
}

// printReport prints what the end was like, in the format of the log.
func printReport(logger logr.Logger, m *controller.Manager, s *settings, stderr io.Writer) {
	if s.logFormat == formatJSON { // each line is a record
		logger.Info("Stopped", "report", m.Report().String())
		return
	}
	fmt.Fprint(stderr, m.Report())
}
