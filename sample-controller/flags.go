// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/sample-controller/flunder"
)

// settings are what the flags say.
type settings struct {
	kubeconfig    string
	healthAddress string
	logFormat     string
	verbosity     int
	plan          bool
	flunder       flunder.Options
	manager       controller.ManagerOptions
	telemetry     telemetrySettings
	leaderElect   bool
	election      controller.LeaderElection
}

// parse reads the flags. A help text goes to output.
func parse(args []string, output io.Writer) (*settings, error) {
	s := &settings{}
	flags := flag.NewFlagSet("flunder-controller", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints an error once
	s.addProcess(flags)
	s.addManager(flags)
	s.addTelemetry(flags)
	s.addElection(flags)
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
	if s.plan {
		s.manager.DryRun = &controller.DryRun{}
	}
	if s.leaderElect {
		s.manager.LeaderElection = &s.election
	}
	return s, nil
}

func (s *settings) addProcess(flags *flag.FlagSet) {
	flags.StringVar(&s.kubeconfig, "kubeconfig", "", "the kubeconfig of the API server; "+
		"empty: the pod's service account, or else as kubectl finds it")
	flags.StringVar(&s.flunder.Namespace, "namespace", "", "the only namespace to work in; empty: all")
	flags.IntVar(&s.flunder.Workers, "workers", 4,
		"the number of Flunders that are reconciled at the same time")
	flags.StringVar(&s.healthAddress, "health-addr", ":8081",
		"the address of /healthz and /readyz; empty: none")
	flags.BoolVar(&s.plan, "plan", false, "change nothing: print what would change, and exit with 0 if nothing "+
		"would, 2 if something would, and 1 if it cannot be told")
	flags.StringVar(&s.logFormat, "log-format", "text", "text or json")
	flags.IntVar(&s.verbosity, "v", 0, "the verbosity of the log: 0 for failures and what changes, "+
		"1 for reconciles with calls and cancellations too, 2 for all reconciles")
}

func (s *settings) addManager(flags *flag.FlagSet) {
	flags.DurationVar(&s.manager.SyncTimeout, "sync-timeout", 30*time.Second,
		"the time for the caches to fill")
	flags.DurationVar(&s.manager.DrainTimeout, "drain-timeout", 0, "the time for Flunders in flight "+
		"to finish at the end; 0: they are cancelled. A second signal cancels them")
	flags.DurationVar(&s.manager.ShutdownTimeout, "shutdown-timeout", 20*time.Second,
		"the time for everything to stop, drain included")
	flags.BoolVar(&s.manager.StragglerStacks, "straggler-stacks", false,
		"print the stack of what does not stop")
}

func (s *settings) addTelemetry(flags *flag.FlagSet) {
	t := &s.telemetry
	flags.StringVar(&t.metricsAddress, "metrics-addr", "",
		"the address of /metrics in Prometheus form; empty: none")
	flags.StringVar(&t.otlpEndpoint, "otlp-endpoint", "", "the URL of the OpenTelemetry collector for "+
		"traces, such as http://localhost:4318; empty: as OTEL_EXPORTER_OTLP_ENDPOINT says, or no traces")
	flags.BoolVar(&t.otlpMetrics, "otlp-metrics", false, "push metrics to the collector too")
	flags.Float64Var(&t.traceRatio, "trace-ratio", 0.01, "the part of reconciles that is traced, "+
		"beside those that a sampled change led to")
	flags.BoolVar(&t.traceKeep, "trace-keep", false, "of what is traced, send only reconciles that "+
		"wrote, failed, were cancelled, were slow or were linked")
	flags.BoolVar(&t.traceAnnotate, "trace-annotate", false,
		"write the trace into the Deployments that are changed, for others to link to")
}

func (s *settings) addElection(flags *flag.FlagSet) {
	e := &s.election
	flags.BoolVar(&s.leaderElect, "leader-elect", false,
		"work only while holding the Lease, so that several replicas can run")
	flags.StringVar(&e.Namespace, "leader-elect-namespace", os.Getenv("POD_NAMESPACE"),
		"the namespace of the Lease; empty: the pod's")
	flags.StringVar(&e.Name, "leader-elect-name", "sample-controller", "the name of the Lease")
	flags.StringVar(&e.Identity, "leader-elect-identity", os.Getenv("POD_NAME"), "the holder of the "+
		"Lease, for the server-side fence the name of the pod; empty: the host's name")
	flags.DurationVar(&e.LeaseDuration, "leader-elect-lease-duration", 15*time.Second,
		"the time after which others take the Lease of a leader that does not renew it")
	flags.DurationVar(&e.RenewDeadline, "leader-elect-renew-deadline", 10*time.Second,
		"the time for which the leader tries to renew the Lease")
	flags.DurationVar(&e.RetryPeriod, "leader-elect-retry-period", 2*time.Second,
		"the time between tries")
	flags.BoolVar(&e.ExitOnLoss, "leader-elect-exit-on-loss", false,
		"exit when leadership is lost, instead of campaigning again")
}
