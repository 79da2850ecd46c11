// Package transport is what the manager puts between its clients and the API server. It knows from
// a request's context on whose behalf, and under which term of leadership, the request is made,
// accounts for it there, keeps connections apart, and sees to it that a call which ended because its
// context did says so, with the cause.
package transport

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/apicall"
	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/resend"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

// Transport makes clients that go through this package, and knows their connections.
type Transport struct {
	// Read and Write limit each attempt of an item's calls, watches excepted; zero is no limit.
	Read, Write time.Duration
	// Observer is told of calls; nil for nobody.
	Observer Observer
	// Trace wraps what makes each attempt, including those that the server's fence refuses and that are
	// made again here. Nil for no wrapper.
	Trace func(http.RoundTripper) http.RoundTripper

	// Connections is how many connections calls are spread over; those that need a term have as many
	// again. The excess of calls waits. Zero: as many as Workers says.
	Connections int
	forWorkers  atomic.Int64

	mu     sync.Mutex
	closed bool
	pools  []*pool
}

// Observer is told what happens to calls.
type Observer interface {
	// Called is told of an attempt's answer, or of its failure to come, which has the code 0. ctx is the
	// call's.
	Called(ctx context.Context, call *apicall.Call, code int, took time.Duration)
	// Waited is told that a call had to wait since began, for a reason out of a bounded set.
	Waited(ctx context.Context, reason string, began time.Time)
	// Postponed is told that the API server wants a call to be made again later, which client-go does.
	Postponed(ctx context.Context, wait time.Duration)
}

// Instrument returns a copy of config whose clients go through t: watches, calls, and calls that need a
// term of leadership each on connections of their own. What client-go upgrades (exec, attach, port-forward) dials for
// itself: see upgrade.go.
func (t *Transport) Instrument(config *rest.Config) *rest.Config {
	instrumented := rest.CopyConfig(config)
	instrumented.RateLimiter = limit(config, t)
	all := &lines{}
	if config.Transport == nil {
		all.base = rest.CopyConfig(config)
		instrumented.WrapTransport = nil // the lines have it
	}
	instrumented.Wrap(func(next http.RoundTripper) http.RoundTripper {
		if all.base == nil {
			return &roundTripper{next: next, transport: t, lines: &lines{shared: next}}
		}
		rt := &roundTripper{next: next, transport: t, lines: all}
		if !carriesCalls(next) {
			rt.upgrader = next
			for _, wrap := range []func(http.RoundTripper) http.RoundTripper{all.base.WrapTransport, t.Trace} { // as in the lines
				if wrap != nil {
					rt.upgrader = wrap(rt.upgrader)
				}
			}
		}
		return rt
	})
	return instrumented
}

// ForLease returns a copy of config whose clients have a connection of their own, never wait for another
// call, and do not need the term that they are there to renew. reconnect closes it, so that the next request
// opens another.
func (t *Transport) ForLease(config *rest.Config) (forLease *rest.Config, reconnect func()) {
	forLease = rest.CopyConfig(config)
	forLease.RateLimiter = limit(&rest.Config{}, t)
	forLease.Timeout = 0
	if config.Transport != nil {
		forLease.Wrap(func(next http.RoundTripper) http.RoundTripper { return &leaseRoundTripper{next} })
		return forLease, func() {}
	}
	p := t.addPool(newPool(rest.CopyConfig(config), nil, 0, nil), nil)
	forLease.Dial = p.conns.dialer(config.Dial, nil)
	forLease.Wrap(func(next http.RoundTripper) http.RoundTripper {
		p.mu.Lock()
		p.lanes = append(p.lanes, &lane{next: next})
		p.mu.Unlock()
		return &leaseRoundTripper{next}
	})
	return forLease, func() { p.conns.close(false) }
}

type leaseRoundTripper struct{ next http.RoundTripper }

func (t *leaseRoundTripper) WrappedRoundTripper() http.RoundTripper { return t.next }

func (t *leaseRoundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	c := &call{ctx: req.Context(), Call: work.Call{Call: apicall.Of(req)}}
	resp, err := t.next.RoundTrip(c.outgoing(req, nil))
	return finish(req, resp, err, c)
}

// Workers says how many workers there are, each of which is to have room for a call. Before it does, there are
// as many connections as it takes.
func (t *Transport) Workers(n int) { t.forWorkers.Store(int64(max(1, (n+streams-1)/streams))) }

func (t *Transport) connections() int { return cmp.Or(t.Connections, int(t.forWorkers.Load())) }

// addPool takes up a pool, whose calls trace wraps, unless it is nil: watches and the lease have no spans.
func (t *Transport) addPool(p *pool, trace func(http.RoundTripper) http.RoundTripper) *pool {
	if p.trace = trace; trace != nil && p.base == nil {
		p.lanes[0].next = trace(p.lanes[0].next)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		p.conns.close(true)
	}
	t.pools = append(t.pools, p)
	return p
}

// EndTerm closes the connections of a term that is over.
func (t *Transport) EndTerm(over *term.Term) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := t.pools[:0]
	for _, p := range t.pools {
		if p.fence == over {
			p.close()
			continue
		}
		kept = append(kept, p)
	}
	clear(t.pools[len(kept):])
	t.pools = kept
}

// CloseIdle closes the connections on which no call is outstanding, and with them the goroutines that
// read from them.
func (t *Transport) CloseIdle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.pools {
		p.closeIdle()
	}
}

// Waiting is how many calls wait for room on a connection.
func (t *Transport) Waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := int64(0)
	for _, p := range t.pools {
		n += p.waiting.Load()
	}
	return int(n)
}

// closeIdle finds the transport with the connections below any number of wrappers.
func closeIdle(rt http.RoundTripper) {
	for rt != nil {
		if closer, ok := rt.(interface{ CloseIdleConnections() }); ok {
			closer.CloseIdleConnections()
			return
		}
		wrapper, ok := rt.(utilnet.RoundTripperWrapper)
		if !ok {
			return
		}
		rt = wrapper.WrappedRoundTripper()
	}
}

// Close closes all connections, once everything that used them has returned. That they are idle by then is
// not certain: HTTP/2 takes note of a cancelled stream a little later, and keeps the connection until
// it is idle for long.
func (t *Transport) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, p := range t.pools {
		p.close()
	}
}

type roundTripper struct {
	next      http.RoundTripper
	transport *Transport
	lines     *lines
	upgrader  http.RoundTripper // what has to send the calls, nil where the lines do
}

// WrappedRoundTripper lets client-go find the transport below, for its TLS configuration.
func (t *roundTripper) WrappedRoundTripper() http.RoundTripper { return t.next }

func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if ctx.Err() != nil {
		return nil, (&call{ctx: ctx, Call: work.Call{Call: apicall.Of(req)}}).withCause(ctx.Err())
	}
	unit := work.From(ctx)
	c := &call{ctx: ctx, unit: unit, Call: work.Call{Call: apicall.Of(req), Start: time.Now()}}
	needed := c.neededTerm()
	if needed != nil {
		if err := needed.Check(); err != nil {
			return nil, fmt.Errorf("%s refused before it was sent: %w", c.Call.String(), err)
		}
	}
	if unit != nil {
		unit.Begin(&c.Call)
	}
	if err := t.board(c, needed); err != nil {
		c.end(ctx.Err() != nil) // it was never sent, and says so by its Waiting
		return nil, c.withCause(err)
	}
	if limit := t.transport.limit(c); limit > 0 {
		c.ctx, c.cancel = context.WithTimeoutCause(ctx, limit, cause.CallTimeout)
	}
	if t.upgrader != nil {
		c.guard(needed)
	}
	observer := t.transport.Observer
	if c.Verb == "watch" {
		observer = nil
	}
	resp, err := c.send(req, needed, observer)
	resp, err = finish(req, resp, err, c)
	if observer != nil {
		postponed(observer, req, resp, err)
	}
	return resp, err
}

// postponed tells the observer how long client-go will wait before it makes the call again. That is told here,
// beforehand, because nothing joins the next attempt to this one.
func postponed(observer Observer, req *http.Request, resp *http.Response, err error) {
	var (
		wait  time.Duration
		again bool
	)
	if err != nil {
		wait, again = resend.AfterError(req, err)
	} else {
		wait, again = resend.AfterResponse(resp)
	}
	if !again {
		return
	}
	if deadline, ok := req.Context().Deadline(); ok {
		wait = min(wait, time.Until(deadline))
	}
	observer.Postponed(req.Context(), wait)
}

// board finds the connection for a call, and waits for room on it.
func (t *roundTripper) board(c *call, needed *term.Term) (err error) {
	if t.upgrader != nil {
		c.pool, c.lane = t.lines.upgrade(t.transport, needed), &lane{next: t.upgrader, calls: 1}
		return c.pool.conns.ended()
	}
	c.pool = t.lines.pool(t.transport, c, needed)
	if c.lane, err = c.pool.tryAcquire(); c.lane != nil || err != nil {
		return err
	}
	if c.unit != nil {
		done := c.unit.Wait(&c.Call)
		defer func() { done(err == nil) }()
	}
	if observer := t.transport.Observer; observer != nil {
		defer observer.Waited(c.ctx, tracing.ThrottleConnection, time.Now())
	}
	c.lane, err = c.pool.acquire(c.ctx)
	return err
}

func (t *Transport) limit(c *call) time.Duration {
	switch {
	case c.unit == nil || c.unit.Kind != work.Item || c.Verb == "watch":
		return 0
	case c.ReadOnly():
		return t.Read
	default:
		return t.Write
	}
}

// finish ends a call that has failed, or hands its end to the body of the response.
func finish(req *http.Request, resp *http.Response, err error, c *call) (*http.Response, error) {
	if err == nil && c.ctx.Err() != nil && resp.Header.Get("Retry-After") != "" {
		// client-go would look at the context before it tries again, and return its error without
		// the cause.
		_ = resp.Body.Close()
		err = c.ctx.Err()
	}
	if c.Verb == "watch" && streamsList(req) {
		resp, err = evenTempered(resp, err)
	}
	if err != nil {
		err = c.withCause(err)
		c.end(c.ctx.Err() != nil)
		return nil, err
	}
	c.setBody(resp.Body)
	if writable, ok := resp.Body.(io.Writer); ok {
		// An upgraded connection (exec, port-forward) is also written to through its body.
		resp.Body = &writableBody{call: c, Writer: writable}
	} else {
		resp.Body = c
	}
	return resp, nil
}
