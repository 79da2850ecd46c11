package transport

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// ErrEnded is the error of a call through a manager's client after the manager's end.
var ErrEnded = errors.New("the manager has ended: its clients make no connections any more")

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// connections knows the open connections, so that they can be closed although HTTP/2 still counts a
// cancelled stream on them.
type connections struct {
	mu     sync.Mutex
	open   map[*conn]struct{}
	closed bool
}

func (c *connections) dialer(dial dialFunc, fence *term.Term) dialFunc {
	if dial == nil {
		dial = (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.closed {
			_ = dialled.Close()
			return nil, ErrEnded
		}
		return c.track(dialled, fence), nil
	}
}

// track takes a connection up. It is called with the lock held.
func (c *connections) track(dialled net.Conn, fence *term.Term) *conn {
	tracked := &conn{Conn: dialled, all: c, fence: fence}
	if c.open == nil {
		c.open = map[*conn]struct{}{}
	}
	c.open[tracked] = struct{}{}
	return tracked
}

// ended is an error once no connection may be made any more.
func (c *connections) ended() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrEnded
	}
	return nil
}

// close closes all connections; final lets no other be made.
func (c *connections) close(final bool) {
	c.mu.Lock()
	open := c.open
	c.open = nil
	c.closed = c.closed || final
	c.mu.Unlock()
	for conn := range open {
		conn.drop()
	}
}

type conn struct {
	net.Conn
	all   *connections
	fence *term.Term
}

// Write is the last place of ours that bytes pass on their way to the server, below HTTP and TLS: what
// needs a term does not get further once that is over, however long ago it was begun (C14). A process can
// be stopped between this look at the clock and the system call, which is some dozen instructions.
func (c *conn) Write(p []byte) (int, error) {
	if c.fence != nil {
		if err := c.fence.Check(); err != nil {
			c.drop()
			return 0, err
		}
	}
	return c.Conn.Write(p)
}

func (c *conn) Close() error {
	c.all.mu.Lock()
	delete(c.all.open, c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}

// drop closes the connection and has the kernel throw away what it has not sent yet, which it would
// otherwise go on trying for minutes.
func (c *conn) drop() {
	if tcp, ok := c.Conn.(interface{ SetLinger(sec int) error }); ok && c.fence != nil {
		_ = tcp.SetLinger(0) // what was dialled may be something else, or closed
	}
	_ = c.Close()
}
