// The sample controller reconciles Flunders. Its main is what to copy for a controller of one's own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/sample-controller/flunder"
)

type settings struct {
	kubeconfig    string
	healthAddress string
	logFormat     string
	verbosity     int
	flunder       flunder.Options
	manager       controller.Options
	telemetry     telemetrySettings
	leaderElect   bool
	election      controller.LeaderElection
}

func main() {
	ctx, stop := controller.SignalContext(context.Background())
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "flunder-controller: %v\n", err)
		stop()
		os.Exit(1)
	}
}

// run is main without the process: it returns when ctx has ended and everything has stopped.
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
	if _, err := flunder.Setup(m, s.flunder); err != nil {
		return err
	}
	if s.healthAddress != "" {
		m.AddRunnable("health", serveHealth(s.healthAddress, m))
	}
	if exports.metrics != nil {
		m.AddRunnable("metrics", serveMetrics(s.telemetry.metricsAddress, exports.metrics))
	}
	err = m.Run(ctx)
	if err := exports.stop(ctx); err != nil {
		logger.Info("Telemetry was not sent", "err", err)
	}
	if ctx.Err() != nil { // else err says it all
		if s.logFormat == "json" { // of which each line is a record
			logger.Info("Stopped", "report", m.Report().String())
		} else {
			fmt.Fprint(output, m.Report())
		}
	}
	return err
}

func parse(args []string, output io.Writer) (*settings, error) {
	s := &settings{}
	flags := flag.NewFlagSet("flunder-controller", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // what is wrong with the flags is told once, by main
	flags.StringVar(&s.kubeconfig, "kubeconfig", "", "how to reach the API server; empty: the pod's own service account, else as kubectl does")
	flags.StringVar(&s.flunder.Namespace, "namespace", "", "the only namespace to work in; empty: all")
	flags.IntVar(&s.flunder.Workers, "workers", 4, "how many Flunders are reconciled at the same time")
	flags.StringVar(&s.healthAddress, "health-addr", ":8081", "where /healthz and /readyz are served; empty: nowhere")
	flags.StringVar(&s.logFormat, "log-format", "text", "text or json")
	flags.IntVar(&s.verbosity, "v", 0, "how much is logged: 0 what changes, 1 also cancellations, 2 also reconciles that did nothing")
	flags.DurationVar(&s.manager.SyncTimeout, "sync-timeout", 30*time.Second, "how long the caches may take to fill")
	flags.DurationVar(&s.manager.DrainTimeout, "drain-timeout", 0, "how long Flunders in flight may take to finish at the end; 0: they are cancelled. A second signal cancels them")
	flags.DurationVar(&s.manager.ShutdownTimeout, "shutdown-timeout", 20*time.Second, "how long everything may take to stop, drain included")
	flags.StringVar(&s.telemetry.metricsAddress, "metrics-addr", "", "where /metrics is served in Prometheus form; empty: nowhere")
	flags.StringVar(&s.telemetry.otlpEndpoint, "otlp-endpoint", "", "the URL of the OpenTelemetry collector that traces go to, such as http://localhost:4318; empty: as OTEL_EXPORTER_OTLP_ENDPOINT says, or no traces")
	flags.BoolVar(&s.telemetry.otlpMetrics, "otlp-metrics", false, "push metrics to the collector too")
	flags.Float64Var(&s.telemetry.traceRatio, "trace-ratio", 0.01, "the part of reconciles that is traced, beside those that a sampled change led to")
	flags.BoolVar(&s.telemetry.traceKeep, "trace-keep", false, "of what is traced, send only what wrote, failed, was cancelled, was slow or was linked")
	flags.BoolVar(&s.telemetry.traceStamp, "trace-stamp", false, "write the trace into the Deployments that are changed, for others to link to")
	flags.BoolVar(&s.leaderElect, "leader-elect", false, "work only while holding the lease, so that several replicas can run")
	flags.StringVar(&s.election.Namespace, "leader-elect-namespace", os.Getenv("POD_NAMESPACE"), "the namespace of the lease; empty: that of the pod")
	flags.StringVar(&s.election.Name, "leader-elect-name", "sample-controller", "the name of the lease")
	flags.StringVar(&s.election.Identity, "leader-elect-identity", os.Getenv("POD_NAME"), "who holds the lease, for the server-side fence the name of the pod; empty: the host's name")
	flags.DurationVar(&s.election.LeaseDuration, "leader-elect-lease-duration", 15*time.Second, "how long others wait before they take the lease of a leader that does not renew it")
	flags.DurationVar(&s.election.RenewDeadline, "leader-elect-renew-deadline", 10*time.Second, "how long the leader tries to renew the lease")
	flags.DurationVar(&s.election.RetryPeriod, "leader-elect-retry-period", 2*time.Second, "the time between tries")
	flags.BoolVar(&s.election.ExitOnLoss, "leader-elect-exit-on-loss", false, "exit when leadership is lost, instead of campaigning again")
	flags.BoolVar(&s.manager.StragglerStacks, "straggler-stacks", false, "print the stack of whatever does not stop")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(output)
		flags.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, err
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unknown argument %q: everything is set by flags", flags.Arg(0))
	case s.flunder.Workers < 1:
		return nil, fmt.Errorf("-workers=%d: at least one is needed", s.flunder.Workers)
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if err := s.telemetry.validate(given); err != nil {
		return nil, err
	}
	s.flunder.Instance = os.Getenv("POD_NAME")
	if s.leaderElect {
		s.manager.LeaderElection = &s.election
	}
	return s, nil
}
