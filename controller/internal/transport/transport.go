// SPDX-License-Identifier: Apache-2.0

// Package transport is between the clients of a manager and the API server. From the context of
// each request it knows the unit of work and the term of leadership for which the request is made.
// It accounts for the call, chooses the connection, fences writes, and makes a call that ended with
// its context return the context's cause.
package transport

import (
	"context"
	"net/http"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/lanyard-k8s/lanyard/controller/internal/conns"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// ErrEnded is the error of a call through a manager's client after the manager's end.
var ErrEnded = conns.ErrEnded

// Options configures a Transport.
type Options struct {
	// Read and Write limit each attempt of an item's calls, except watches. Zero or less: no limit.
	Read, Write time.Duration
	// Connections is the number of connections for calls; calls that need a term have as many
	// again. Calls beyond their capacity wait. Zero: as many as SetWorkers says.
	Connections int
	// Units are the manager's. Nil: all units are taken for that.
	Units *work.Registry
	// Observers are told of calls.
	Observers observe.Observers
	// Wrap wraps what makes each attempt, including those that the server's fence refuses and that
	// are made again here. Watches and Leases are not wrapped. Nil for no wrapper.
	Wrap func(http.RoundTripper) http.RoundTripper
	// Known returns the version of an object that a call is about to write, or an empty string. Nil if
	// nothing is known.
	Known func(call *observe.Call) (version string)
	// Dry says that the configurations are from [Dry]: observers are told of no writes, because nothing was
	// written, and clients have no credentials of their own.
	Dry bool
}

// Transport makes configurations whose clients go through this package, and owns their connections.
// It is safe for concurrent use.
type Transport struct {
	options Options
	pools   *pools
	orphans *orphans
	writes  *writes
}

// New makes a transport.
func New(options Options) *Transport {
	return &Transport{
		options: options,
		pools:   &pools{connections: options.Connections, wrap: options.Wrap},
		orphans: &orphans{observers: options.Observers, units: options.Units},
		writes:  &writes{observers: options.Observers, known: options.Known, dry: options.Dry},
	}
}

// Limited returns a copy of an instrumented configuration with a rate limiter of its own, unless
// config, from which that was made, has one.
func (t *Transport) Limited(instrumented, config *rest.Config) *rest.Config {
	own := rest.CopyConfig(instrumented)
	own.RateLimiter = limiterOf(config, t.options.Observers, t.orphans)
	return own
}

// RateLimiter returns a rate limiter whose waits end with the cause of their contexts, and of which
// observers are told.
func (t *Transport) RateLimiter(qps float32, burst int) flowcontrol.RateLimiter {
	return limiterOf(&rest.Config{QPS: qps, Burst: burst}, t.options.Observers, t.orphans)
}

// Instrument returns a copy of config whose clients go through t. Watches, calls, and calls that
// need a term have connections of their own. Exec, attach and port-forward dial for themselves: see
// upgrade.go.
func (t *Transport) Instrument(config *rest.Config) *rest.Config {
	return t.instrument(config, t.routes(config))
}

// InstrumentWithClient is Instrument, and a function that makes an HTTP client whose requests go over the
// connections of the clients of the returned configuration. It makes no transport of client-go's, which would
// read certificates for as long as the process lives.
func (t *Transport) InstrumentWithClient(
	config *rest.Config,
) (instrumented *rest.Config, client func() (*http.Client, error)) {
	all := t.routes(config)
	instrumented = t.instrument(config, all)
	return instrumented, func() (*http.Client, error) {
		if all.base == nil {
			return rest.HTTPClientFor(instrumented)
		}
		outer := rest.CopyConfig(config)
		outer.WrapTransport = nil // the pools wrap each of their transports
		wrapped, err := rest.HTTPWrappersForConfig(outer, t.roundTripper(&unused{base: all.base}, all))
		return &http.Client{Transport: wrapped}, err
	}
}

func (t *Transport) instrument(config *rest.Config, all *routes) *rest.Config {
	instrumented := rest.CopyConfig(config)
	if t.options.Dry {
		instrumented = withoutCredentials(config)
	}
	instrumented.RateLimiter = limiterOf(config, t.options.Observers, t.orphans)
	if all.base != nil {
		instrumented.WrapTransport = nil // the pools wrap each of their transports
	}
	instrumented.Wrap(func(next http.RoundTripper) http.RoundTripper {
		rt := t.roundTripper(next, all)
		switch {
		case all.base == nil:
			rt.routes = &routes{pools: t.pools, shared: next}
		case !carriesCalls(next):
			rt.upgrader = t.wrapUpgrader(next, all.base)
		default:
			rt.next = &unused{base: all.base}
		}
		if t.options.Dry {
			return authenticated(config, rt)
		}
		return rt
	})
	return instrumented
}

// routes returns the routes of the clients of a configuration. Without a base, calls go through the
// configuration's own transport.
func (t *Transport) routes(config *rest.Config) *routes {
	all := &routes{pools: t.pools}
	if config.Transport == nil {
		all.base = rest.CopyConfig(config)
		all.certificate = conns.CertificateOf(config)
	}
	return all
}

func (t *Transport) roundTripper(next http.RoundTripper, all *routes) *roundTripper {
	return &roundTripper{
		next: next, read: t.options.Read, write: t.options.Write, observers: t.options.Observers, routes: all,
		orphans: t.orphans, writes: t.writes,
	}
}

// wrapUpgrader wraps a round tripper as the pools wrap theirs.
func (t *Transport) wrapUpgrader(next http.RoundTripper, base *rest.Config) http.RoundTripper {
	if base.WrapTransport != nil {
		next = base.WrapTransport(next)
	}
	if t.options.Wrap != nil {
		next = t.options.Wrap(next)
	}
	return next
}

// ForLease returns a configuration and a client for it that has a connection of its own, never waits
// for another call, and does not need the term that it renews. reconnect closes the connection, so
// that the next request opens another.
func (t *Transport) ForLease(
	config *rest.Config,
) (forLease *rest.Config, client *http.Client, reconnect func(), err error) {
	forLease = rest.CopyConfig(config)
	forLease.RateLimiter = limiterOf(&rest.Config{}, t.options.Observers, nil)
	forLease.Timeout = 0
	if config.Transport != nil {
		forLease.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return &leaseRoundTripper{next: next}
		})
		client, err = rest.HTTPClientFor(forLease)
		return forLease, client, func() {}, err
	}
	pool := t.pools.add(conns.New(conns.Config{
		Base: rest.CopyConfig(config), Certificate: conns.CertificateOf(config), Purpose: "leases",
	}))
	forLease.WrapTransport = nil // the pool wraps its transports
	rt, err := rest.HTTPWrappersForConfig(forLease, &leaseRoundTripper{pool: pool})
	return forLease, &http.Client{Transport: rt}, pool.Reconnect, err
}

// SetWorkers sets the number of workers, each of which needs room for a call. Before it is called,
// there are as many connections as needed.
func (t *Transport) SetWorkers(n int) {
	t.pools.forWorkers.Store(int64(max(1, (n+conns.Streams-1)/conns.Streams)))
}

// Begin says that the manager runs, on root. From now on a call with a context from outside the
// manager is an orphan: it is told of, and it ends when until does. So does every call that may not end
// with the manager.
func (t *Transport) Begin(root, until context.Context) {
	t.orphans.running.Store(&running{root: root, until: until})
}

// Strays reports whether there was a list or watch among the orphans, which may have been for an
// informer.
func (t *Transport) Strays() bool { return t.orphans.lists.Load() }

// Orphans returns the first orphan of each kind that each line of code has made.
func (t *Transport) Orphans() []report.Orphan { return t.orphans.all() }

// EndTerm closes the connections of a term that is over.
func (t *Transport) EndTerm(over *term.Term) { t.pools.endTerm(over) }

// Waiting returns the number of calls that wait for room on a connection.
func (t *Transport) Waiting() int {
	n := 0
	for _, pool := range t.pools.list() {
		n += pool.Waiting()
	}
	return n
}

// Loads returns what the connections carry now.
func (t *Transport) Loads() []conns.Load {
	all := []conns.Load{}
	for _, pool := range t.pools.list() {
		all = append(all, pool.Load())
	}
	return all
}

// Close closes all connections, and with them ends what is outstanding. They may not be idle when
// all has returned: HTTP/2 takes note of a cancelled stream a little later, and would keep the
// connection until it has been idle for long.
func (t *Transport) Close() { t.pools.close() }
