package transport

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
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

func (c *connections) dialer(dial dialFunc) dialFunc {
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
		tracked := &conn{Conn: dialled, all: c}
		if c.open == nil {
			c.open = map[*conn]struct{}{}
		}
		c.open[tracked] = struct{}{}
		return tracked, nil
	}
}

func (c *connections) close() {
	c.mu.Lock()
	open := c.open
	c.open, c.closed = nil, true
	c.mu.Unlock()
	for conn := range open {
		_ = conn.Conn.Close()
	}
}

type conn struct {
	net.Conn
	all *connections
}

func (c *conn) Close() error {
	c.all.mu.Lock()
	delete(c.all.open, c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}
