// SPDX-License-Identifier: Apache-2.0

package wire

import "sync"

// gate is open, or shut until somebody opens it.
type gate struct {
	mu     sync.Mutex
	opens  chan struct{} // nil: it is open
	closes chan struct{} // is closed when it is shut the next time; nil: nobody waits for that
}

// shut shuts the gate.
func (g *gate) shut() (open func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	opens := make(chan struct{})
	g.opens = opens
	if g.closes != nil {
		close(g.closes)
		g.closes = nil
	}
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.opens == opens {
			g.opens = nil
		}
		close(opens)
	})
}

// opened returns a channel that is closed when the gate opens, or nil if it is open.
func (g *gate) opened() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opens
}

// shuts returns a channel that is closed when the gate is shut the next time.
func (g *gate) shuts() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closes == nil {
		g.closes = make(chan struct{})
	}
	return g.closes
}
