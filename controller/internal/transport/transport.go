// Package transport is what the manager puts between its clients and the API server. It knows from
// a request's context on whose behalf the request is made, accounts for it there, and sees to it
// that a call which ended because its context did says so, with the cause.
package transport

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// Transport makes clients that go through this package, and knows their connections.
type Transport struct {
	// Read and Write limit each attempt of an item's calls, watches excepted; zero is no limit.
	Read, Write time.Duration

	mu     sync.Mutex
	bottom []http.RoundTripper
	conns  connections
}

// Instrument returns a copy of config whose clients go through t.
func (t *Transport) Instrument(config *rest.Config) *rest.Config {
	instrumented := rest.CopyConfig(config)
	instrumented.RateLimiter = limit(config)
	instrumented.Dial = t.conns.dialer(config.Dial)
	instrumented.Wrap(func(next http.RoundTripper) http.RoundTripper {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.bottom = append(t.bottom, next)
		return &roundTripper{next: next, transport: t}
	})
	return instrumented
}

// CloseIdle closes the connections on which no call is outstanding, and with them the goroutines that
// read from them.
func (t *Transport) CloseIdle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, next := range t.bottom {
		closeIdle(next)
	}
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
	t.conns.close()
	t.CloseIdle() // and the dials that nobody waits for
}

type roundTripper struct {
	next      http.RoundTripper
	transport *Transport
}

// WrappedRoundTripper lets client-go find the transport below, for its TLS configuration.
func (t *roundTripper) WrappedRoundTripper() http.RoundTripper { return t.next }

func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if ctx.Err() != nil {
		return nil, withCauseOf(ctx, req, ctx.Err())
	}
	unit := work.From(ctx)
	if unit == nil {
		resp, err := t.next.RoundTrip(req)
		return finish(req, resp, err, &call{ctx: ctx})
	}
	c := &call{ctx: ctx, unit: unit, Call: describe(req)}
	c.Start = time.Now()
	if limit := t.transport.limit(unit, c.Call); limit > 0 {
		c.ctx, c.cancel = context.WithTimeoutCause(ctx, limit, cause.CallTimeout)
		req = req.WithContext(c.ctx) //nolint:contextcheck // c.ctx is made from the request's own two lines above
	}
	unit.Begin(c.Call)
	resp, err := t.next.RoundTrip(req)
	return finish(req, resp, err, c)
}

func (t *Transport) limit(unit *work.Unit, c *work.Call) time.Duration {
	switch {
	case unit.Kind != work.Item || c.Verb == "watch":
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
	if streamsList(req) {
		resp, err = evenTempered(resp, err)
	}
	if err != nil {
		err = withCauseOf(c.ctx, req, err)
		c.end(c.ctx.Err() != nil)
		return nil, err
	}
	tracked := &body{ReadCloser: resp.Body, call: c}
	if writable, ok := resp.Body.(io.Writer); ok {
		// An upgraded connection (exec, port-forward) is also written to through its body.
		resp.Body = &writableBody{body: tracked, Writer: writable}
	} else {
		resp.Body = tracked
	}
	return resp, nil
}
