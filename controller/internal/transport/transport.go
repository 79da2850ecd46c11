// Package transport is what the manager puts between its clients and the API server. It knows from
// a request's context on whose behalf the request is made, accounts for it there, and sees to it
// that a call which ended because its context did says so, with the cause.
package transport

import (
	"io"
	"net/http"
	"sync"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// Transport makes clients that go through this package, and knows their connections.
type Transport struct {
	mu     sync.Mutex
	bottom []http.RoundTripper
}

// Instrument returns a copy of config whose clients go through t.
func (t *Transport) Instrument(config *rest.Config) *rest.Config {
	instrumented := rest.CopyConfig(config)
	instrumented.RateLimiter = limit(config)
	instrumented.Wrap(func(next http.RoundTripper) http.RoundTripper {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.bottom = append(t.bottom, next)
		return &roundTripper{next: next}
	})
	return instrumented
}

// CloseIdle closes the connections on which no call is outstanding, and with them the goroutines that
// read from them.
func (t *Transport) CloseIdle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, next := range t.bottom {
		utilnet.CloseIdleConnectionsFor(next)
	}
}

type roundTripper struct {
	next http.RoundTripper
}

// WrappedRoundTripper lets client-go find the transport below, for its TLS configuration.
func (t *roundTripper) WrappedRoundTripper() http.RoundTripper { return t.next }

func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	unit := work.From(ctx)
	var call *work.Call
	if unit != nil {
		call = describe(req)
		call.Start = time.Now()
		unit.Begin(call)
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		if unit != nil {
			unit.End(call, ctx.Err() != nil)
		}
		return nil, withCause(ctx, err)
	}
	tracked := &body{ReadCloser: resp.Body, ctx: ctx, unit: unit, call: call}
	if writable, ok := resp.Body.(io.Writer); ok {
		// An upgraded connection (exec, port-forward) is also written to through its body.
		resp.Body = &writableBody{body: tracked, Writer: writable}
	} else {
		resp.Body = tracked
	}
	return resp, nil
}
