// SPDX-License-Identifier: Apache-2.0

package program

import (
	"cmp"
	"flag"
	"time"

	"github.com/lanyard-k8s/lanyard/controller"
)

// settings are what the flags of every program say.
type settings struct {
	kubeconfig     string
	healthAddress  string
	metricsAddress string
	metricsSecure  bool
	pageAddress    string
	profiles       bool
	certificates   string
	logFormat      string
	verbosity      int
	plan           bool
	leaderElect    bool
	election       controller.LeaderElection
	shards         bool
	sharding       controller.Sharding
	manager        controller.ManagerOptions
}

// newSettings returns the settings of a program before its flags are read.
func newSettings(o Options, environment map[string]string) *settings {
	s := &settings{manager: o.Manager}
	if o.Manager.LeaderElection != nil {
		s.election = *o.Manager.LeaderElection
	}
	e := &s.election
	e.Namespace = cmp.Or(e.Namespace, environment["POD_NAMESPACE"])
	e.Name = cmp.Or(e.Name, o.Name)
	e.Identity = cmp.Or(e.Identity, environment["POD_NAME"])
	if e.Pod == nil {
		e.Pod = podOf(environment)
	}
	e.LeaseDuration = cmp.Or(e.LeaseDuration, 15*time.Second)
	e.RenewDeadline = cmp.Or(e.RenewDeadline, 10*time.Second)
	e.RetryPeriod = cmp.Or(e.RetryPeriod, 2*time.Second)
	if o.Manager.Sharding != nil {
		s.sharding = *o.Manager.Sharding
	}
	s.sharding.Slots = cmp.Or(s.sharding.Slots, 64)
	s.manager.SyncTimeout = cmp.Or(s.manager.SyncTimeout, time.Minute)
	s.manager.ShutdownTimeout = cmp.Or(s.manager.ShutdownTimeout, 20*time.Second)
	return s
}

// podOf returns where the process runs, nil if not all of it is known.
func podOf(environment map[string]string) *controller.LeaderPod {
	p := &controller.LeaderPod{
		Namespace: environment["POD_NAMESPACE"], Name: environment["POD_NAME"],
		UID: environment["POD_UID"], Container: environment["CONTAINER_NAME"],
	}
	if p.Namespace == "" || p.Name == "" || p.UID == "" || p.Container == "" {
		return nil
	}
	return p
}

func (s *settings) addFlags(flags *flag.FlagSet) {
	s.addProcess(flags)
	s.addManager(flags)
	s.addElection(flags)
	s.addSharding(flags)
}

func (s *settings) addProcess(flags *flag.FlagSet) {
	flags.StringVar(&s.kubeconfig, "kubeconfig", "", "the kubeconfig of the API server; "+
		"empty: the pod's service account, or else as kubectl finds it")
	flags.StringVar(&s.healthAddress, "health-addr", ":8081",
		"the address of /healthz and /readyz; empty: none")
	flags.StringVar(&s.pageAddress, "page-addr", "", "the address of the live page of what the program does, with its "+
		"JSON for lanyard top; empty: none. An address that others can reach needs -tls-cert-dir, and a token that may get /page/*")
	flags.BoolVar(&s.profiles, "pprof", false, "profiles at /debug/pprof/ of -page-addr")
	flags.StringVar(&s.certificates, "tls-cert-dir", "", "the folder of tls.crt and tls.key, as a Secret of type "+
		"kubernetes.io/tls has them, for what is served to others; both are read again when they change")
	flags.BoolVar(&s.plan, "plan", false, "change nothing: print what would change, and exit with 0 if nothing "+
		"would, 2 if something would, and 1 if it cannot be told")
	flags.StringVar(&s.logFormat, "log-format", formatText, "text or json")
	flags.IntVar(&s.verbosity, "v", 0, "the verbosity of the log: 0 for failures and what changes, "+
		"1 for reconciles with calls and cancellations too, 2 for all reconciles")
}

// addMetrics adds the flag of programs that have metrics.
func (s *settings) addMetrics(flags *flag.FlagSet) {
	flags.StringVar(&s.metricsAddress, "metrics-addr", "",
		"the address of /metrics in Prometheus form; empty: none")
	flags.BoolVar(&s.metricsSecure, "metrics-secure", false, "serve -metrics-addr with TLS, and only to whoever may get "+
		"/metrics by the API server's RBAC; needs -tls-cert-dir")
}

func (s *settings) addManager(flags *flag.FlagSet) {
	m := &s.manager
	flags.DurationVar(&m.SyncTimeout, "sync-timeout", m.SyncTimeout, "the time for the caches to fill")
	flags.DurationVar(&m.DrainTimeout, "drain-timeout", m.DrainTimeout, "the time for items in flight "+
		"to finish at the end; 0: they are cancelled. A second signal cancels them")
	flags.DurationVar(&m.ShutdownTimeout, "shutdown-timeout", m.ShutdownTimeout,
		"the time for everything to stop, drain included")
	flags.BoolVar(&m.ErrorTexts, "page-error-texts", m.ErrorTexts, "the page has the texts of errors, into which the "+
		"program or the API server may have put content of objects")
	flags.BoolVar(&m.StragglerStacks, "straggler-stacks", m.StragglerStacks,
		"print the stack of what does not stop")
}

func (s *settings) addElection(flags *flag.FlagSet) {
	e := &s.election
	flags.BoolVar(&s.leaderElect, "leader-elect", false,
		"work only while holding the Lease, so that several replicas can run")
	flags.StringVar(&e.Namespace, "leader-elect-namespace", e.Namespace,
		"the namespace of the Lease; empty: the pod's")
	flags.StringVar(&e.Name, "leader-elect-name", e.Name, "the name of the Lease")
	flags.StringVar(&e.Identity, "leader-elect-identity", e.Identity, "the holder of the "+
		"Lease, for the server-side fence the name of the pod; empty: the host's name")
	flags.DurationVar(&e.LeaseDuration, "leader-elect-lease-duration", e.LeaseDuration,
		"the time after which others take the Lease of a leader that does not renew it")
	flags.DurationVar(&e.RenewDeadline, "leader-elect-renew-deadline", e.RenewDeadline,
		"the time for which the leader tries to renew the Lease")
	flags.DurationVar(&e.RetryPeriod, "leader-elect-retry-period", e.RetryPeriod,
		"the time between tries")
	flags.BoolVar(&e.ExitOnLoss, "leader-elect-exit-on-loss", e.ExitOnLoss,
		"exit when leadership is lost, instead of campaigning again")
	flags.BoolVar(&e.Fenced, "leader-elect-fenced", e.Fenced, "the server-side fence is installed: "+
		"take a leader whose pod was deleted for ended, instead of waiting until its Lease has expired")
}

func (s *settings) addSharding(flags *flag.FlagSet) {
	flags.BoolVar(&s.shards, "shards", false, "work on a share of the objects, beside the other replicas: "+
		"the flags -leader-elect-namespace, -name, -identity, -lease-duration, -renew-deadline and -retry-period hold for its Leases")
	flags.IntVar(&s.sharding.Slots, "shards-slots", s.sharding.Slots, "into how many slots the objects are divided; "+
		"the same for all replicas")
}

// shares returns the options of sharding: its Leases are like that of the election.
func (s *settings) shares() *controller.Sharding {
	o, e := s.sharding, &s.election
	o.Namespace = e.Namespace
	o.Name = e.Name
	o.Identity = e.Identity
	o.LeaseDuration = e.LeaseDuration
	o.RenewDeadline = e.RenewDeadline
	o.RetryPeriod = e.RetryPeriod
	o.Pod = e.Pod
	return &o
}

// options returns the manager's options as the flags say.
func (s *settings) options() controller.ManagerOptions {
	o := s.manager
	dry := o.DryRun
	o.DryRun, o.LeaderElection, o.Sharding = nil, nil, nil
	if s.plan {
		if o.DryRun = dry; dry == nil {
			o.DryRun = &controller.DryRun{}
		}
	}
	if s.leaderElect {
		o.LeaderElection = &s.election
	}
	if s.shards {
		o.Sharding = s.shares()
	}
	return o
}
