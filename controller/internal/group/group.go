// SPDX-License-Identifier: Apache-2.0

// Package group counts goroutines, so that their end can be waited for with a time limit.
// [sync.WaitGroup] cannot do that without leaving a goroutine of its own behind.
package group

import (
	"context"
	"sync"
)

// Group is a set of goroutines. The zero value is an empty group, ready for use. All methods may be
// called from several goroutines at once. A Group must not be copied after first use.
type Group struct {
	mu      sync.Mutex
	running int
	closed  bool
	done    chan struct{} // made by Close, and closed when the group is closed and nothing runs
}

// Go runs f in a goroutine of the group. It does nothing if the group is closed.
func (g *Group) Go(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	g.running++
	go func() {
		defer g.finish()
		f()
	}()
}

// Close makes later calls of Go do nothing. It does not wait. It may be called more than once.
func (g *Group) Close() { g.close() }

// Wait closes the group and waits until all its goroutines have returned. If ctx ends before, Wait
// returns the cause of that end. It returns nil when all have returned, even if ctx has ended too.
// It may be called more than once, for example again with another limit.
func (g *Group) Wait(ctx context.Context) error {
	done := g.close()
	select {
	case <-done:
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// close closes the group, and returns a channel that is closed once all have returned.
func (g *Group) close() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.closed = true
		g.done = make(chan struct{})
		g.closeDone()
	}
	return g.done
}

func (g *Group) finish() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	g.closeDone()
}

// closeDone closes g.done if the group is closed and nothing runs. g.mu must be held.
func (g *Group) closeDone() {
	if g.closed && g.running == 0 {
		close(g.done)
	}
}
