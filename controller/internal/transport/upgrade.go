// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync"

	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// Exec, attach and port-forward do not use the transport that client-go makes from a configuration.
// Its packages transport/spdy and transport/websocket wrap a round tripper of their own, which
// dials whatever config.Dial says, and keeps the connection for its caller. So these calls are
// checked, accounted for and limited here as all others are, and then sent by that round tripper.
// Their writes are not fenced: there is no place for a connection of ours. The connection is known
// only for WebSockets, which report it through httptrace; it is closed at the end of the term or of
// Run.

// carriesCalls reports whether ordinary calls go through a round tripper that is to be wrapped:
// below what client-go makes for ordinary clients is net/http's transport.
func carriesCalls(rt http.RoundTripper) bool {
	for {
		if _, ok := rt.(*http.Transport); ok {
			return true
		}
		wrapper, ok := rt.(utilnet.RoundTripperWrapper)
		if !ok {
			return false
		}
		rt = wrapper.WrappedRoundTripper()
	}
}

// setUpgrade returns the context for an upgrade, which ends with ctx and with the term, however far
// the upgrade has come: nothing stops its writes at the connection.
func (c *call) setUpgrade(ctx context.Context, needed *term.Term) context.Context {
	c.upgrade = true
	guard := &upgradeGuard{}
	ctx, cancel := context.WithCancelCause(ctx)
	if needed != nil {
		lost := needed.Lost()
		guard.onEnd(lost, func() { cancel(context.Cause(lost)) })
	}
	limited := c.cancel
	c.cancel = func() {
		guard.release() // the connection outlives the call that made it
		cancel(nil)
		if limited != nil {
			limited()
		}
	}
	if !apicall.Connects(&c.Call.Call) {
		return ctx // it is no upgrade after all, and may share its connection
	}
	pool := c.pool
	return httptrace.WithClientTrace(
		ctx,
		&httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
			made := pool.Adopt(info.Conn, needed)
			guard.onEnd(ctx, made.Abort)
		}},
	)
}

// upgradeGuard ends an upgrade when a context ends, until it is released. It is safe for concurrent
// use.
type upgradeGuard struct {
	mu    sync.Mutex
	stops []func() bool
}

// onEnd calls end when ctx ends, and at once if it has ended.
func (g *upgradeGuard) onEnd(ctx context.Context, end func()) {
	stop := context.AfterFunc(ctx, end)
	if ctx.Err() != nil {
		end() // now, and not when the goroutine of AfterFunc runs
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stops = append(g.stops, stop)
}

func (g *upgradeGuard) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, stop := range g.stops {
		stop()
	}
}
