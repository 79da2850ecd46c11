// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/lanyard-k8s/lanyard/controller/internal/election"
	"github.com/lanyard-k8s/lanyard/controller/internal/leading"
	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
	"github.com/lanyard-k8s/lanyard/controller/internal/loops"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/sharding"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/transport"
	"github.com/lanyard-k8s/lanyard/controller/internal/witness"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/internal/written"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// Manager runs controllers, their informers and other runnables under one context. It has no global
// state, so a process may have several managers. All methods are safe for concurrent use.
// [NewManager] makes one.
type Manager struct {
	config  *rest.Config // for clients
	user    *rest.Config // that config was made from
	options ManagerOptions

	setup     setup
	informers *informers
	schemes   schemes
	units     work.Registry
	observers *observers
	writes    *written.Writes
	loops     *loops.Finder
	planning  *planning // nil unless it is a dry run

	listMetadata written.List
	transport    *transport.Transport
	leader       *leading.Leader // nil without leader election
	shards       *shards         // nil without sharding

	mu       sync.Mutex
	ended    <-chan struct{} // is closed at the end; nil before Run
	why      func() error    // why it ends; nil before Run
	returned bool            // Run has returned
	report   report.Shutdown
}

// NewManager makes a manager for the API server of config. It sends no request before Run. If an
// argument is wrong, Run returns an error that says so.
//
// If config sets neither QPS nor RateLimiter, the manager's clients have no client-side rate limit:
// the API server limits requests by priority and fairness. With a QPS, each configuration from
// [Manager.Config] has a rate limiter of its own; with a RateLimiter, all clients share it.
func NewManager(config *rest.Config, options ManagerOptions) *Manager {
	return newManager(config, options, replacements{})
}

// replacements are what tests in virtual time need in place of the API server's Leases and of the
// clock.
type replacements struct {
	leases coordinationv1client.LeasesGetter
	clock  term.Clock
}

func newManager(config *rest.Config, options ManagerOptions, replaced replacements) *Manager {
	options.setDefaults()
	m := &Manager{options: options}
	m.setup.hurried = make(chan struct{})
	m.planning = newPlanning(options.DryRun, &m.schemes)
	m.setup.planning = m.planning
	m.informers = newInformers(m.schemes.all)
	m.informers.set.DetectMutations = options.DetectMutations
	var err error
	if m.observers, err = newObservers(&m.options.Telemetry, &m.units); err != nil {
		m.setup.mistake(err)
	}
	m.observers.stories.ErrorTexts = options.ErrorTexts
	m.observers.all = append(m.observers.all, &outsiders{
		caches: &m.informers.set, strays: func() bool { return m.transport.Strays() },
	}, &idleClients{caches: &m.informers.set, factories: m.informers.unit})
	m.writes = written.New(&m.informers.set, m.informers.unit.Streams)
	m.loops = loops.New(func() observe.Observers { return m.observers.all })
	m.observers.all = append(m.observers.all, m.writes, m.loops)
	if m.planning != nil {
		m.observers.all = append(m.observers.all, m.planning.recorder)
	}
	m.transport = transport.New(transport.Options{
		Read: options.CallTimeouts.Read, Write: options.CallTimeouts.Write, Connections: options.Connections,
		Units: &m.units, Observers: m.observers.all, Wrap: m.observers.wrap, Known: m.writes.Known,
		Dry: m.planning != nil,
	})
	if config == nil {
		m.setup.mistake(
			errors.New(
				"the manager has no rest.Config: pass one, for example from controller.LoadConfig",
			),
		)
		config = &rest.Config{}
	}
	if m.planning != nil {
		config = m.planning.config(config)
	}
	m.user = rest.CopyConfig(config)
	var client func() (*http.Client, error)
	m.config, client = m.transport.InstrumentWithClient(config)
	m.listMetadata = listMetadata(m.user, sync.OnceValues(client))
	if options.LeaderElection != nil {
		if err := m.setUpLeader(config, *options.LeaderElection, replaced); err != nil {
			m.setup.mistake(err)
		}
	}
	if options.Sharding != nil {
		if err := m.setUpSharding(config, *options.Sharding, replaced); err != nil {
			m.setup.mistake(err)
		}
	}
	return m
}

// setUpLeader makes the leader, with a connection of its own.
func (m *Manager) setUpLeader(
	user *rest.Config,
	options LeaderElection,
	replaced replacements,
) error {
	if err := options.complete("ManagerOptions.LeaderElection"); err != nil {
		return fmt.Errorf("leader election: %w", err)
	}
	if m.planning != nil {
		return nil // nobody leads in a dry run
	}
	client, err := m.newLeaseClient(user, replaced)
	if err != nil {
		return fmt.Errorf("leader election: %w", err)
	}
	candidate := election.Config{
		Lease: options.lease(), Identity: options.Identity,
		LeaseDuration: options.LeaseDuration, RenewDeadline: options.RenewDeadline,
		RetryPeriod: options.RetryPeriod, Margin: options.Margin,
		Home: options.home(), Client: client.leases, Reconnect: client.reconnect, Clock: client.clock,
		Healthy: func() error { return progress(&m.units, &m.informers.set, m.setup.allInTerm()) },
	}
	if options.Pod != nil {
		candidate.Witness = witness.New(client.pods, options.Fenced)
	}
	m.leader = leading.New(leading.Config{
		Lease: options.lease(), Candidate: election.New(candidate), Workers: m.setup.inTerm,
		Units: &m.units, Endings: &m.observers.endings, Observers: m.observers.all,
		ShutdownTimeout: m.options.ShutdownTimeout, ExitOnLoss: options.ExitOnLoss, Stacks: m.options.StragglerStacks,
		TermOver: m.transport.EndTerm, Flush: m.options.Telemetry.flush,
	})
	m.setup.leader = m.leader
	return nil
}

// setUpSharding makes what keeps this process's share of the slots.
func (m *Manager) setUpSharding(user *rest.Config, options Sharding, replaced replacements) error {
	if err := options.complete(); err != nil {
		return fmt.Errorf("sharding: %w", err)
	}
	if election := m.options.LeaderElection; election != nil && election.Name == options.Name &&
		(election.Namespace == "" || election.Namespace == options.Namespace) {
		return fmt.Errorf("sharding: LeaderElection has the Name %q too, and that Lease is held while slots are in use: "+
			"give them different names", options.Name)
	}
	if m.planning != nil {
		return nil // a dry run looks at all objects
	}
	client, err := m.newLeaseClient(user, replaced)
	if err != nil {
		return fmt.Errorf("sharding: %w", err)
	}
	config := sharding.Config{
		Client: client.leases, Clock: client.clock, Reconnect: client.reconnect,
		Healthy: func() error { return progress(&m.units, &m.informers.set, m.setup.allSharded()) },
		Over:    m.transport.EndTerm, ShutdownTimeout: m.options.ShutdownTimeout,
	}
	if options.Pod != nil {
		config.Witness = witness.New(client.pods, false) // the server-side fence knows no slots
	}
	m.shards = newShards(&m.setup, m.observers.all, &options, config)
	return nil
}

// leaseClient is what campaigns for Leases and watches pods, with a connection of its own.
type leaseClient struct {
	leases    coordinationv1client.LeasesGetter
	pods      corev1client.PodsGetter
	clock     term.Clock
	reconnect func()
}

func (m *Manager) newLeaseClient(user *rest.Config, replaced replacements) (*leaseClient, error) {
	config, httpClient, reconnect, err := m.transport.ForLease(user)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	pods, err := corev1client.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	c := &leaseClient{leases: replaced.leases, pods: pods, clock: replaced.clock, reconnect: reconnect}
	if c.clock == nil {
		c.clock = term.BootTime()
	}
	if c.leases == nil {
		if c.leases, err = coordinationv1client.NewForConfigAndClient(config, httpClient); err != nil {
			return nil, fmt.Errorf("make a client: %w", err)
		}
	}
	return c, nil
}

// Config returns a configuration for clients; the caller may change it. When a client gets the
// context of an item or a runnable, its calls end with the cause of that context, and reports and
// traces list them under that item or runnable.
//
// All clients share the connections of the manager. Run closes these connections before it returns,
// and later calls fail. A call with a context from elsewhere, such as context.Background() or
// context.WithoutCancel(ctx), ends with the manager. Each line of code that makes such calls while the
// manager runs is logged once; see [Manager.Orphans].
//
// If the manager's configuration has a QPS, the returned configuration has a rate limiter of its
// own, which all clients that are made from it share. Call Config once for each clientset to have a
// limiter for each, as client-go has it. To choose another rate for a client, set RateLimiter to the
// result of [Manager.RateLimiter]. If you set QPS and clear RateLimiter, client-go makes the limiter:
// it limits as well, but its waits end without a cause, and no report or metric has them.
func (m *Manager) Config() *rest.Config { return m.transport.Limited(m.config, m.user) }

// Orphans returns the calls through the manager's clients that belonged to no work of the manager, the
// first of each kind for each line of code: with contexts from outside, and with contexts of reconciles
// that had returned. The metric lanyard.api.orphans counts them all. In a test, use package orphantest.
func (m *Manager) Orphans() []report.Orphan { return m.transport.Orphans() }

// RateLimiter returns a client-side rate limiter for a configuration from [Manager.Config]: it allows
// qps calls a second, and burst calls at once. A qps of zero or less is no limit; a burst of zero is
// client-go's default. A wait ends with the cause of the call's context, and metrics, traces and
// reports have it.
func (m *Manager) RateLimiter(qps float32, burst int) flowcontrol.RateLimiter {
	return m.transport.RateLimiter(qps, burst)
}

// AddRunnable adds a function that runs beside the controllers. run is called once on every replica:
// when Run begins, or at once if it has begun. ctx descends from the context of Run and ends with it.
//
// run may return nil early. If run returns an error before ctx has ended, the manager shuts down
// and Run returns that error. If run panics, the manager shuts down and Run returns an error that
// wraps a [*PanicError].
//
// See also [Manager.AddLeaderRunnable] and [Manager.AddServer].
func (m *Manager) AddRunnable(name string, run func(ctx context.Context) error) *Runnable {
	return m.addRunnable(&runnable{name: name, run: run, class: lifecycle.Runnables})
}

// AddServer adds a function like [Manager.AddRunnable] does, except that its context ends last: only
// when all controllers, their items, informers and other runnables have returned. Use it for what
// these may need until then, such as a webhook that items in flight call during a drain, or an
// endpoint for metrics. The values of ctx are those of Run's context.
func (m *Manager) AddServer(name string, run func(ctx context.Context) error) *Runnable {
	return m.addRunnable(&runnable{name: name, run: run, class: lifecycle.Servers})
}

// AddLeaderRunnable adds a function that runs while this process leads. run is called once in each
// term of leadership, and ctx ends with that term. If this process leads already, run is called at
// once. Without ManagerOptions.LeaderElection, AddLeaderRunnable does the same as
// [Manager.AddRunnable].
//
// run may return nil early. If run returns an error before ctx has ended, the manager shuts down
// and Run returns that error. If run panics, the manager shuts down and Run returns an error that
// wraps a [*PanicError].
func (m *Manager) AddLeaderRunnable(name string, run func(ctx context.Context) error) *Runnable {
	return m.addRunnable(&runnable{
		name: name, run: run, class: lifecycle.Runnables, inTerm: m.leader != nil,
	})
}

func (m *Manager) addRunnable(r *runnable) *Runnable {
	r.part = lifecycle.NewPart()
	m.setup.addRunnable(r)
	return &Runnable{r}
}

// Runnable is a function that was added to a manager. All methods are safe for concurrent use.
type Runnable struct{ runnable *runnable }

// Stop ends the function's context with [cause.Stopped] and removes the function from the manager.
// It does not wait: see [Runnable.Stopped].
func (r *Runnable) Stop() {
	r.runnable.part.Stop(causeOfStop("runnable %q", r.runnable.name))
}

// Stopped is closed when the function has returned after [Runnable.Stop].
func (r *Runnable) Stopped() <-chan struct{} { return r.runnable.part.Stopped() }

// AddScheme makes m know the kinds of the Go types in s: use Scheme of the generated package scheme of
// a clientset. Call it before the types are used. Client-go's own scheme need not be added.
func (m *Manager) AddScheme(s *runtime.Scheme) { m.schemes.add(s) }

// CancelDrain cancels the items that are still in flight during a drain, which is the time of
// ManagerOptions.DrainTimeout that a shutdown gives them to finish. If it is called before the
// shutdown, the shutdown will not give them that time. It is safe for concurrent use.
func (m *Manager) CancelDrain() { m.setup.hurry() }
