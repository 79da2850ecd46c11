// SPDX-License-Identifier: Apache-2.0

package shutdowntest

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// listener hands connections to the server, or keeps them from it while a rule on dials says so.
type listener struct {
	net.Listener
	ready   chan net.Conn
	closed  chan struct{}
	once    sync.Once
	workers sync.WaitGroup

	mu    sync.Mutex
	rule  *Rule
	conns map[net.Conn]struct{}
	most  int // of conns
}

func newListener(inner net.Listener) *listener {
	l := &listener{Listener: inner, ready: make(chan net.Conn), closed: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	l.workers.Go(l.accept)
	return l
}

func (l *listener) setRule(r *Rule) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rule = r
}

// accept takes connections off the system's queue.
func (l *listener) accept() {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return
		}
		tracked := &trackedConn{Conn: conn, listener: l}
		rule := l.track(tracked)
		switch {
		case rule == nil || rule.isRemoved():
			l.workers.Go(func() { l.deliver(tracked) })
		case rule.fault.kind == refuseDial:
			rule.meet()
			_ = tracked.Close() // it is to be gone
		default:
			l.workers.Go(func() { l.hold(tracked, rule) })
		}
	}
}

func (l *listener) track(conn net.Conn) *Rule {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[conn] = struct{}{}
	l.most = max(l.most, len(l.conns))
	return l.rule
}

// hold keeps a connection until the rule is released, and notices when the client gives it up.
func (l *listener) hold(conn *trackedConn, rule *Rule) {
	gone := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		if err := conn.readAhead(); err != nil {
			close(gone)
		}
	})
	released := rule.hold(nil, gone, nil)
	_ = conn.SetReadDeadline(time.Unix(1, 0)) // ends the reader; a closed connection has no reader
	reader.Wait()
	if !released {
		_ = conn.Close() // nobody wants it
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	l.deliver(conn)
}

func (l *listener) deliver(conn net.Conn) {
	select {
	case l.ready <- conn:
	case <-l.closed:
		_ = conn.Close() // nobody wants it
	}
}

// Accept returns the next connection to serve.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.ready:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the listener and the connections that were not served.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	err := l.Listener.Close()
	l.closeConns()
	l.workers.Wait()
	return err
}

func (l *listener) count() (open, most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns), l.most
}

func (l *listener) closeConns() {
	l.mu.Lock()
	conns := l.conns
	l.conns = map[net.Conn]struct{}{}
	l.mu.Unlock()
	for conn := range conns {
		_ = conn.Close() // most have been closed already
	}
}

func (l *listener) forget(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
}

// trackedConn is a connection from a client. What was read ahead is read first.
type trackedConn struct {
	net.Conn
	listener *listener
	ahead    []byte
}

// readAhead keeps what the client sends, until a deadline that is set meanwhile.
func (c *trackedConn) readAhead() error {
	buffer := make([]byte, 4096)
	for {
		n, err := c.Conn.Read(buffer)
		c.ahead = append(c.ahead, buffer[:n]...)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (c *trackedConn) Read(p []byte) (int, error) {
	if len(c.ahead) > 0 {
		n := copy(p, c.ahead)
		c.ahead = c.ahead[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

func (c *trackedConn) Close() error {
	c.listener.forget(c)
	return c.Conn.Close()
}
