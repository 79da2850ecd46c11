// Package group counts goroutines so that their end can be waited for with a time limit, which
// [sync.WaitGroup] cannot do without leaving a goroutine of its own behind.
package group

import "sync"

// Group is a set of goroutines. The zero value is ready for use.
type Group struct {
	mu      sync.Mutex
	running int
	sealed  bool
	done    chan struct{}
}

// Go runs f in a goroutine of the group. On a group that is sealed it does nothing.
func (g *Group) Go(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.sealed {
		return
	}
	g.running++
	go func() {
		defer g.finish()
		f()
	}()
}

// Seal lets no further goroutine start and returns a channel that is closed once all have returned.
func (g *Group) Seal() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.sealed {
		g.sealed = true
		g.done = make(chan struct{})
		if g.running == 0 {
			close(g.done)
		}
	}
	return g.done
}

func (g *Group) finish() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	if g.running == 0 && g.sealed {
		close(g.done)
	}
}
