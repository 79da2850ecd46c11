package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"syscall"

	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// Exec, attach and port-forward do not go through the transport that client-go makes of a configuration. Its
// packages transport/spdy and transport/websocket (0.37.2) have a round tripper of their own wrapped as that would
// be, which dials, whatever config.Dial says, and keeps the connection for whoever made it. So these calls are
// checked, accounted for and limited here as all others are, and then sent by that round tripper. What they write is
// not fenced: there is no place to put a connection of ours. It is only known where it is one for WebSockets, which
// tell of it (httptrace), and is then closed at the end of the term, or of Run.

// carriesCalls tells whether calls may go through other connections than those of a round tripper that
// is to be wrapped: below what client-go makes for ordinary clients there is net/http's transport.
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

// guard has an upgrade end with the call's context, and with its term, however far it has come: nothing stops it
// at the connection.
func (c *call) guard(needed *term.Term) {
	c.upgrade = true
	ctx, cancel := context.WithCancelCause(c.ctx)
	stops := []func() bool{}
	if needed != nil {
		stops = append(stops, context.AfterFunc(needed.Lost(), func() { cancel(context.Cause(needed.Lost())) }))
	}
	limited := c.cancel
	c.cancel = func() {
		for _, stop := range stops {
			stop() // the connection outlives the call that made it
		}
		cancel(nil)
		if limited != nil {
			limited()
		}
	}
	if c.ctx = ctx; !c.Connects() {
		return // it is no upgrade after all, and may share its connection
	}
	pool := c.pool
	c.ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		made := pool.conns.adopt(info.Conn, needed)
		stops = append(stops, context.AfterFunc(ctx, made.drop))
	}})
}

// adopt takes up a connection that another has dialled. Nobody tells when it is closed, so those that have been
// are forgotten here.
func (c *connections) adopt(dialled net.Conn, fence *term.Term) *conn {
	if secured, ok := dialled.(*tls.Conn); ok {
		dialled = secured.NetConn() // to be dropped, not to be taken leave of
	}
	c.mu.Lock()
	for known := range c.open {
		if isClosed(known.Conn) {
			delete(c.open, known)
		}
	}
	made, closed := c.track(dialled, fence), c.closed
	c.mu.Unlock()
	if closed {
		made.drop()
	}
	return made
}

func isClosed(c net.Conn) bool {
	socket, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	return err != nil || raw.Control(func(uintptr) {}) != nil
}
