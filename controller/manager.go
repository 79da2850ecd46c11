package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller/internal/metrics"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/transport"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

// Options configures a [Manager]. The zero value works.
type Options struct {
	// SyncTimeout bounds the wait for a controller's caches to fill (C23). When it is over, Run ends
	// with the last list or watch error of each cache that has not. Default: one minute.
	SyncTimeout time.Duration

	// ShutdownTimeout bounds the wait for everything to return after the end (C7). When it is over,
	// Run returns a [ShutdownError] that names what has not. Default: 20 seconds, which leaves a pod
	// a third of its default grace period.
	ShutdownTimeout time.Duration

	// DrainTimeout chooses what happens to items in flight at the end (C6). Zero, the default, cancels
	// them at once. Otherwise they have this time to finish, and are cancelled then, with
	// [cause.DrainExpired]. It must be shorter than ShutdownTimeout. See also [Manager.CancelDrain].
	DrainTimeout time.Duration

	// CallTimeouts limits each call that items make.
	CallTimeouts CallTimeouts

	// Connections is how many connections the calls of items and runnables are spread over; the writes of
	// what needs leadership have as many of their own, watches and the lease others again (C25). One
	// carries 90 calls at a time, and what is more waits. Default: enough for one call of each worker.
	Connections int

	// LeaderElection has only one of several replicas do the work. Nil, the default: each one works.
	LeaderElection *LeaderElection

	// Telemetry has the manager traced and measured.
	Telemetry Telemetry

	// StragglerStacks puts the stack of each straggler into the report. That stops the process for as
	// long as it takes to write down the stacks of all goroutines.
	StragglerStacks bool
}

// CallTimeouts limits single calls by their class, so that one call cannot use up an item's whole time. A
// call that runs into its limit ends with [cause.CallTimeout]; the item goes on. Negative: no limit but
// the item's own, which no limit outlasts.
type CallTimeouts struct {
	// Read limits each attempt at get and list; watches are not limited. Default: 30 seconds.
	Read time.Duration
	// Write limits each attempt at all else. Default: 30 seconds.
	Write time.Duration
	// External limits what runs on a context from [ExternalContext]. Default: one minute.
	External time.Duration
}

func (t *CallTimeouts) setDefaults() {
	t.Read = cmp.Or(t.Read, 30*time.Second)
	t.Write = cmp.Or(t.Write, 30*time.Second)
	t.External = cmp.Or(t.External, time.Minute)
}

// Manager runs controllers, the informers that feed them, and other runnables, on one tree of
// contexts. It keeps nothing outside itself (C22): several managers in one process do not see each
// other.
type Manager struct {
	user    *rest.Config // as it was given
	config  *rest.Config // for clients
	options Options
	electing

	transport   transport.Transport
	informers   informerSet
	units       work.Registry
	metrics     *metrics.Set         // nil without metrics
	annotations *tracing.Annotations // nil without tracing
	readiness   atomic.Int64         // controllers that work

	hurry       context.Context //ctxvet:ok ctxfield: ends when drains are to be cut short
	cancelDrain context.CancelFunc

	mu          sync.Mutex
	mistakes    []error // made while adding things; Run returns them
	runnables   []runnable
	controllers []runner
	started     bool
	cancelled   []Work // items that ended with the tree
	finished    int    // items that finished after the end
	report      ShutdownReport
}

// runner is a controller, whatever type of object it reconciles.
type runner interface {
	name() string
	leaderBound() bool // it needs a term
	warm(ctx context.Context) error
	prepare()
	run(ctx, hurry context.Context, needed *term.Term) error
	queued() int
	backlog(now time.Time) (depth int, oldest time.Duration)
	workers() int
	drains() bool
}

type runnable struct {
	name        string
	run         func(context.Context) error
	leaderBound bool
}

// NewManager makes a manager that talks to the API server that config names. It sends nothing before Run.
//
// Where config sets neither QPS nor a RateLimiter, calls are not limited on the client's side: the
// API server's priority and fairness is left to do it.
func NewManager(config *rest.Config, options Options) *Manager {
	options.SyncTimeout = cmp.Or(options.SyncTimeout, time.Minute)
	options.ShutdownTimeout = cmp.Or(options.ShutdownTimeout, 20*time.Second)
	options.CallTimeouts.setDefaults()
	m := &Manager{options: options}
	m.setUpTelemetry()
	m.transport.Read, m.transport.Write = options.CallTimeouts.Read, options.CallTimeouts.Write
	m.transport.Connections = options.Connections
	m.hurry, m.cancelDrain = context.WithCancel(context.Background()) //nolint:forbidigo // a signal, below which nothing runs
	if config == nil {
		m.mistake(errors.New("the manager has no rest.Config: pass one, for example from controller.LoadConfig"))
		config = &rest.Config{}
	}
	m.user = rest.CopyConfig(config)
	m.config = m.transport.Instrument(config)
	if options.LeaderElection != nil {
		if err := m.setUpElection(*options.LeaderElection); err != nil {
			m.mistake(err)
		}
	}
	return m
}

// workers is how many items can be reconciled at the same time.
func (m *Manager) workers() int {
	workers := 0
	for _, c := range m.controllers {
		workers += c.workers()
	}
	return workers
}

// Config is what to make clients from: calls through them are accounted to the item or runnable whose
// context they carry, and end with its cause. The copy is the caller's. All clients share the manager's
// connections (C25), which are closed when Run has waited for everything; none is made after that.
func (m *Manager) Config() *rest.Config { return rest.CopyConfig(m.config) }

// AddRunnable adds something that runs beside the controllers, such as a server, from the start of Run
// until ctx ends. ctx descends from Run's (C1). A runnable may return nil early. When it returns an
// error before the end, or panics, everything ends and Run returns that error. It runs on every replica;
// see also [Manager.AddLeaderRunnable].
func (m *Manager) AddRunnable(name string, run func(ctx context.Context) error) {
	m.addRunnable(runnable{name: name, run: run})
}

func (m *Manager) addRunnable(r runnable) {
	if r.name == "" || r.run == nil {
		m.mistake(fmt.Errorf("a runnable needs a name and a function (name %q)", r.name))
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.runnables = append(m.runnables, r)
}

// AddInformer has the manager run an informer whose lister someone reads, or says what the cache of one
// keeps that a controller will use. Nothing is run that was not added here or to a controller (C23).
func (m *Manager) AddInformer(informer cache.SharedIndexInformer, options InformerOptions) {
	if _, err := m.informers.add(informer, options); err != nil {
		m.mistake(err)
	}
}

// mistake keeps an error made while setting up, so that setting up reads without error checks and
// still nothing starts after a mistake.
func (m *Manager) mistake(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mistakes = append(m.mistakes, err)
}

func (m *Manager) addController(c runner) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, other := range m.controllers {
		if other.name() == c.name() {
			m.mistakes = append(m.mistakes, fmt.Errorf("there are two controllers named %q: give each its own name", c.name()))
			return
		}
	}
	m.controllers = append(m.controllers, c)
}

// CancelDrain makes a drain that is under way a cancel, and the next end one without a drain. The second
// signal does so where the context is from [SignalContext].
func (m *Manager) CancelDrain() { m.cancelDrain() }

// drains tells whether any controller lets its items finish.
func (m *Manager) drains() bool {
	return slices.ContainsFunc(m.controllers, runner.drains)
}

// Ready tells whether every controller has filled its caches and works, as a readiness probe wants it. One
// that needs leadership is ready as soon as its caches are full, so that stand-bys are ready too.
func (m *Manager) Ready() error {
	m.mu.Lock()
	all := len(m.controllers)
	m.mu.Unlock()
	if working := int(m.readiness.Load()); working < all {
		return fmt.Errorf("%d of %d controllers are ready", working, all)
	}
	return nil
}

// begin marks the manager as started. A manager runs once: its informers cannot be started again.
func (m *Manager) begin() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started {
		return errors.New("this manager has run already: make a new one, with new informers")
	}
	m.started = true
	m.transport.Workers(m.workers())
	if len(m.mistakes) > 0 {
		return fmt.Errorf("the manager was not set up right, nothing was started: %w", errors.Join(m.mistakes...))
	}
	return nil
}
