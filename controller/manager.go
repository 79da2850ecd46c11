// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"

	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/internal/election"
	"github.com/lanyard-k8s/lanyard/controller/internal/leading"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/transport"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
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
	informers caches.Set
	units     work.Registry
	observers *observers
	transport *transport.Transport
	leader    *leading.Leader // nil without leader election
	hurry     *hurry

	mu       sync.Mutex
	ended    <-chan struct{} // is closed at the end; nil before Run
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
	m := &Manager{options: options, hurry: newHurry()}
	var err error
	if m.observers, err = newObservers(&m.options.Telemetry, &m.units); err != nil {
		m.setup.mistake(err)
	}
	m.observers.all = append(m.observers.all, &outsiders{
		caches: &m.informers, strays: func() bool { return m.transport.Strays() },
	})
	m.transport = transport.New(transport.Options{
		Read: options.CallTimeouts.Read, Write: options.CallTimeouts.Write, Connections: options.Connections,
		Observers: m.observers.all, Wrap: m.observers.wrap,
	})
	if config == nil {
		m.setup.mistake(
			errors.New(
				"the manager has no rest.Config: pass one, for example from controller.LoadConfig",
			),
		)
		config = &rest.Config{}
	}
	m.user = rest.CopyConfig(config)
	m.config = m.transport.Instrument(config)
	if options.LeaderElection != nil {
		if err := m.setUpLeader(config, *options.LeaderElection, replaced); err != nil {
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
	if err := options.complete(); err != nil {
		return err
	}
	config, httpClient, reconnect, err := m.transport.ForLease(user)
	if err != nil {
		return fmt.Errorf("leader election: make a client: %w", err)
	}
	candidate := election.Config{
		Lease: options.lease(), Identity: options.Identity,
		LeaseDuration: options.LeaseDuration, RenewDeadline: options.RenewDeadline,
		RetryPeriod: options.RetryPeriod, Margin: options.Margin,
		Client: replaced.leases, Reconnect: reconnect, Clock: replaced.clock,
		Healthy: func() error { return stuck(&m.units, m.setup.allInTerm()) },
	}
	if candidate.Clock == nil {
		candidate.Clock = term.BootTime()
	}
	if candidate.Client == nil {
		client, err := coordinationv1client.NewForConfigAndClient(config, httpClient)
		if err != nil {
			return fmt.Errorf("leader election: make a client: %w", err)
		}
		candidate.Client = client
	}
	m.leader = leading.New(leading.Config{
		Lease: options.lease(), Candidate: election.New(candidate), Workers: m.setup.inTerm,
		Units: &m.units, Endings: &m.observers.endings, Observers: m.observers.all,
		ShutdownTimeout: m.options.ShutdownTimeout, ExitOnLoss: options.ExitOnLoss, Stacks: m.options.StragglerStacks,
		TermOver: m.transport.EndTerm, Flush: m.options.Telemetry.flush,
	})
	return nil
}

// Config returns a configuration for clients; the caller may change it. When a client gets the
// context of an item or a runnable, its calls end with the cause of that context, and reports and
// traces list them under that item or runnable.
//
// All clients share the connections of the manager. Run closes these connections before it returns,
// and later calls fail. A call with a context from elsewhere, such as context.Background(), ends with
// the manager. Each line of code that makes such calls while the manager runs is logged once.
//
// If the manager's configuration has a QPS, the returned configuration has a rate limiter of its
// own, which all clients that are made from it share. Call Config once for each clientset to have a
// limiter for each, as client-go has it. To choose another rate for a client, set RateLimiter to the
// result of [Manager.RateLimiter]. If you set QPS and clear RateLimiter, client-go makes the limiter:
// it limits as well, but its waits end without a cause, and no report or metric has them.
func (m *Manager) Config() *rest.Config { return m.transport.Limited(m.config, m.user) }

// RateLimiter returns a client-side rate limiter for a configuration from [Manager.Config]: it allows
// qps calls a second, and burst calls at once. A qps of zero or less is no limit; a burst of zero is
// client-go's default. A wait ends with the cause of the call's context, and metrics, traces and
// reports have it.
func (m *Manager) RateLimiter(qps float32, burst int) flowcontrol.RateLimiter {
	return m.transport.RateLimiter(qps, burst)
}

// AddRunnable adds a function that runs beside the controllers, such as a server. run is called
// once on every replica when Run begins. ctx descends from the context of Run and ends with it.
//
// run may return nil early. If run returns an error before ctx has ended, the manager shuts down
// and Run returns that error. If run panics, the manager shuts down and Run returns an error that
// wraps a [*PanicError].
//
// AddRunnable must be called before Run. If it is called after Run has begun, Run ends with
// [ErrLate]. See also [Manager.AddLeaderRunnable].
func (m *Manager) AddRunnable(name string, run func(ctx context.Context) error) {
	m.setup.addRunnable(&runnable{name: name, run: run})
}

// AddLeaderRunnable adds a function that runs while this process leads. run is called once in each
// term of leadership, and ctx ends with that term. Without ManagerOptions.LeaderElection,
// AddLeaderRunnable does the same as [Manager.AddRunnable].
//
// run may return nil early. If run returns an error before ctx has ended, the manager shuts down
// and Run returns that error. If run panics, the manager shuts down and Run returns an error that
// wraps a [*PanicError].
func (m *Manager) AddLeaderRunnable(name string, run func(ctx context.Context) error) {
	m.setup.addRunnable(&runnable{name: name, run: run, inTerm: m.leader != nil})
}

// InformerOptions says what an informer's cache keeps. The zero value works.
type InformerOptions struct {
	// KeepManagedFields keeps metadata.managedFields in the cache. By default they are dropped:
	// they are often half of an object, and few reconcilers read them.
	KeepManagedFields bool

	// Transform changes each object before it is stored, for example to drop what is not needed.
	// The manager sets the informer's own transform, so one from SetTransform is lost. Default:
	// none.
	Transform cache.TransformFunc
}

// AddInformer makes the manager start informer. Call it for an informer that no controller uses and
// whose lister the program reads.
//
// [New], [Owns] and [Watches] add their informers themselves. To set the InformerOptions of such an
// informer, call AddInformer before New, Owns or Watches.
//
// AddInformer must be called before Run. If it is called after Run has begun, Run ends with
// [ErrLate].
func (m *Manager) AddInformer(informer cache.SharedIndexInformer, options InformerOptions) {
	what := "an informer"
	if informer != nil {
		what = informer.HasSyncedChecker().Name()
	}
	m.setup.add(what, func() error {
		_, err := m.informers.Add(informer, caches.Settings(options))
		return err
	})
}

// CancelDrain cancels the items that are still in flight during a drain, which is the time of
// ManagerOptions.DrainTimeout that a shutdown gives them to finish. If it is called before the
// shutdown, the shutdown will not give them that time. It is safe for concurrent use.
func (m *Manager) CancelDrain() { m.hurry.close() }
