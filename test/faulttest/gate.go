// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"io"
	"sync"
)

// gate holds watches back.
type gate struct {
	mu    sync.Mutex
	opens chan struct{} // nil: it is open
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opens == nil {
		g.opens = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opens != nil {
		close(g.opens)
		g.opens = nil
	}
}

func (g *gate) opened() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opens
}

// watchBody gives what a watch tells when the gate is open.
type watchBody struct {
	io.ReadCloser
	gate   *gate
	heard  func()
	gone   <-chan struct{} // the request's context
	closed chan struct{}
	once   sync.Once
}

// Read waits for the gate after it has read. What was read is not lost when the body is closed: nobody wants it.
func (b *watchBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	for opens := b.gate.opened(); opens != nil && n > 0; opens = b.gate.opened() {
		select {
		case <-opens:
		case <-b.gone:
			return 0, io.ErrUnexpectedEOF
		case <-b.closed:
			return 0, io.ErrClosedPipe
		}
	}
	if n > 0 {
		b.heard()
	}
	return n, err
}

func (b *watchBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.ReadCloser.Close()
}
