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

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/internal/election"
	"github.com/lanyard-k8s/lanyard/controller/internal/leading"
	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
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
	options ManagerOptions

	setup     setup
	informers *informers
	units     work.Registry
	observers *observers
	transport *transport.Transport
	leader    *leading.Leader // nil without leader election

	mu       sync.Mutex
	ended    <-chan struct{} // is closed at the end; nil before Run
	returned bool            // Run has returned
	report   report.Shutdown
}

// NewManager makes a manager for the API server of config. It sends no request before Run. If an
// argument is wrong, Run returns an error that says so.
//
// If config sets neither QPS nor RateLimiter, the manager's clients have no client-side rate limit:
// the API server limits requests by priority and fairness.
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
	m := &Manager{options: options, informers: newInformers()}
	m.informers.set.DetectMutations = options.DetectMutations
	var err error
	if m.observers, err = newObservers(&m.options.Telemetry, &m.units); err != nil {
		m.setup.mistake(err)
	}
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
	config, reconnect := m.transport.ForLease(user)
	candidate := election.Config{
		Lease: options.lease(), Identity: options.Identity,
		LeaseDuration: options.LeaseDuration, RenewDeadline: options.RenewDeadline,
		RetryPeriod: options.RetryPeriod, Margin: options.Margin,
		Client: replaced.leases, Reconnect: reconnect, Clock: replaced.clock,
		Healthy: func() error { return progress(&m.units, &m.informers.set, m.setup.allInTerm()) },
	}
	if candidate.Clock == nil {
		candidate.Clock = term.BootTime()
	}
	if candidate.Client == nil {
		client, err := coordinationv1client.NewForConfig(config)
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
	m.setup.leader = m.leader
	return nil
}

// Config returns a configuration for clients; the caller may change it. When a client gets the
// context of an item or a runnable, its calls end with the cause of that context, and reports and
// traces list them under that item or runnable.
//
// All clients share the connections of the manager. Run closes these connections before it returns,
// and later calls fail.
func (m *Manager) Config() *rest.Config { return rest.CopyConfig(m.config) }

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

// InformerOptions says what an informer's cache keeps. The zero value works.
type InformerOptions struct {
	// KeepManagedFields keeps metadata.managedFields in the cache. By default they are dropped:
	// they are often half of an object, and few reconcilers read them.
	KeepManagedFields bool

	// Transform changes each object before it is stored, for example to drop what is not needed. It
	// must not block, and must return an object of the same type and name; it may be called twice for
	// an object. If it panics or returns an error, the object is kept as it came: that is logged and
	// counted, and [Manager.Ready] fails while such an object is in the cache. The manager sets the
	// informer's own transform, so one from SetTransform is lost. Default: none.
	Transform cache.TransformFunc
}

// say reports whether the options say something.
func (o *InformerOptions) say() bool { return o.KeepManagedFields || o.Transform != nil }

// AddInformer makes the manager run informer. Call it for an informer that no controller uses and
// whose lister the program reads, if the informer is of no factory that was added with [AddFactory].
// Controllers start only when its cache has synced.
//
// [New], [Owns] and [Watches] add their informers themselves. To set the InformerOptions of an
// informer of a factory, call AddInformer before New, Owns or Watches.
func (m *Manager) AddInformer(informer cache.SharedIndexInformer, options InformerOptions) *Informer {
	added := &Informer{informers: m.informers}
	m.setup.add(func(run *lifecycle.Run) (err error) {
		stated := optionsOf(informer)
		alone := stated != nil
		if !alone || options.say() {
			stated = &options
		}
		added.cache, err = m.informers.use(informer, stated, alone, run)
		return err
	})
	return added
}

// Informer is an informer that was added to a manager by itself.
type Informer struct {
	informers *informers
	once      sync.Once
	cache     *caches.Cache // nil after a mistake
}

// Stop tells the manager that the program does not read the lister any more. The informer ends with
// its last user. It is safe for concurrent use.
func (i *Informer) Stop() {
	i.once.Do(func() {
		if i.cache != nil {
			i.informers.release(i.cache)
		}
	})
}

// CancelDrain cancels the items that are still in flight during a drain, which is the time of
// ManagerOptions.DrainTimeout that a shutdown gives them to finish. If it is called before the
// shutdown, the shutdown will not give them that time. It is safe for concurrent use.
func (m *Manager) CancelDrain() { m.setup.hurry() }
