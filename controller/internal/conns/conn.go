// SPDX-License-Identifier: Apache-2.0

// Package conns keeps the connections to an API server apart by their purpose, bounds how many
// requests each carries, and checks a term of leadership at the socket, before each write.
package conns

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"syscall"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// ErrEnded is the error of a call through a manager's client after the manager's end.
var ErrEnded = errors.New("the manager has ended: its clients make no connections any more")

// DialFunc opens a connection, as [rest.Config.Dial] does.
type DialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// open is the open connections of a pool. They can be closed although HTTP/2 still counts a
// cancelled stream on them.
type open struct {
	mu     sync.Mutex
	conns  map[*Conn]struct{}
	closed bool
}

// dialer returns a function that dials with dial, or as net/http does where dial is nil.
func (o *open) dialer(dial DialFunc, fence *term.Term) DialFunc {
	if dial == nil {
		dial = (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		c, closed := o.track(dialled, fence)
		if closed {
			_ = dialled.Close()
			return nil, ErrEnded
		}
		c.dropUnsent()
		return c, nil
	}
}

// track adds a connection, and reports whether the pool is closed already, in which case it does
// not.
func (o *open) track(dialled net.Conn, fence *term.Term) (c *Conn, closed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c = &Conn{Conn: dialled, all: o, fence: fence}
	if o.closed {
		return c, true
	}
	if o.conns == nil {
		o.conns = map[*Conn]struct{}{}
	}
	o.conns[c] = struct{}{}
	return c, false
}

// forgetClosed forgets the connections that were closed without [Conn.Close], by whoever made them.
func (o *open) forgetClosed() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for known := range o.conns {
		if isClosed(known.Conn) {
			delete(o.conns, known)
		}
	}
}

// ended returns an error once no connection may be opened any more.
func (o *open) ended() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return ErrEnded
	}
	return nil
}

// close closes all connections. With final, no other is opened after that.
func (o *open) close(final bool) {
	o.mu.Lock()
	conns := o.conns
	o.conns = nil
	o.closed = o.closed || final
	o.mu.Unlock()
	for c := range conns {
		c.Abort()
	}
}

// Conn is a connection that belongs to a pool.
type Conn struct {
	net.Conn
	all   *open
	fence *term.Term // the term that its writes need; nil if they need none
}

// Write checks the term and sends. It is the last place at which our code sees bytes on their way
// to the server, below HTTP and TLS: a request that needs a term goes no further once the term is
// over, however long ago it began. The process can still be stopped between the look at the clock
// and the system call, which are some dozen instructions.
func (c *Conn) Write(p []byte) (int, error) {
	if c.fence != nil {
		if err := c.fence.Check(); err != nil {
			c.Abort()
			return 0, err
		}
	}
	return c.Conn.Write(p)
}

// Close closes the connection.
func (c *Conn) Close() error {
	c.all.mu.Lock()
	delete(c.all.conns, c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}

// dropUnsent has the kernel drop what it has not sent when the connection is closed, or the process ends in
// whatever way, if the connection needs a term. Otherwise the kernel would try to send that for minutes,
// while another may have the next term.
func (c *Conn) dropUnsent() {
	if tcp, ok := c.Conn.(interface{ SetLinger(sec int) error }); ok && c.fence != nil {
		_ = tcp.SetLinger(0) // the dialled connection may be of another kind, or closed
	}
}

// Abort closes the connection. If it needs a term, the kernel drops what it has not sent yet.
func (c *Conn) Abort() {
	c.dropUnsent()
	_ = c.Close()
}

// plain returns the connection below TLS, which can be closed without a farewell to the server.
func plain(c net.Conn) net.Conn {
	if secured, ok := c.(*tls.Conn); ok {
		return secured.NetConn()
	}
	return c
}

// isClosed reports whether a socket is closed.
func isClosed(c net.Conn) bool {
	socket, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	return err != nil || raw.Control(func(uintptr) {}) != nil
}

// singleDial lets one request at a time open a connection. With net/http each request of a burst
// would open one, with its TLS handshake, and then find that the first carries them all. Bursts
// come at the beginning of a term, after a lost connection, and when so many calls were cancelled
// at once that the connection is full of streams that the server still counts.
type singleDial struct {
	next http.RoundTripper
	turn chan struct{} // holds an element while a request may dial
}

// errMayNotDial is the error of a request that would have to dial, and may not. It has not been
// sent.
type errMayNotDial struct{}

func (errMayNotDial) Error() string { return "another request opens the connection" }

type mayDialKey struct{}

// onlyWithTurn opens connections only for requests that a singleDial allows to. It goes below one.
func onlyWithTurn(dial DialFunc) DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if ctx.Value(mayDialKey{}) == nil {
			return nil, errMayNotDial{}
		}
		return dial(ctx, network, address)
	}
}

func newSingleDial(next http.RoundTripper) http.RoundTripper {
	return &singleDial{next: next, turn: make(chan struct{}, 1)}
}

// WrappedRoundTripper returns the transport below.
func (d *singleDial) WrappedRoundTripper() http.RoundTripper { return d.next }

// RoundTrip sends a request on an open connection, or in its turn on one that it opens.
func (d *singleDial) RoundTrip(req *http.Request) (*http.Response, error) {
	if !CanRewind(req) {
		return d.withTurn(req)
	}
	resp, err := d.next.RoundTrip(req)
	if !errors.Is(err, errMayNotDial{}) {
		return resp, err
	}
	again, err := Rewind(req) // its body was closed
	if err != nil {
		return nil, err
	}
	return d.withTurn(again)
}

// withTurn sends a request that may dial. Its turn ends once it has a connection, which then is
// there for all: the next request finds it.
func (d *singleDial) withTurn(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		if req.Body != nil {
			_ = req.Body.Close() // a RoundTripper must
		}
		return nil, ctx.Err()
	}
	over := sync.OnceFunc(func() { <-d.turn }) //ctxvet:ok ctxblock: its own element is there
	defer over()
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { over() }}
	ctx = context.WithValue(httptrace.WithClientTrace(ctx, trace), mayDialKey{}, true)
	return d.next.RoundTrip(req.WithContext(ctx))
}
