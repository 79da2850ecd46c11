// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"cmp"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/lanyard-k8s/lanyard/controller/internal/conns"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// pools is all pools of a manager. It is safe for concurrent use.
type pools struct {
	connections int // see Options.Connections
	forWorkers  atomic.Int64
	wrap        func(http.RoundTripper) http.RoundTripper

	mu     sync.Mutex
	closed bool
	all    []*conns.Pool
}

// limit returns the number of connections for calls; 0 for as many as needed.
func (p *pools) limit() int { return cmp.Or(p.connections, int(p.forWorkers.Load())) }

// add adds a pool, which is closed at once if all are.
func (p *pools) add(pool *conns.Pool) *conns.Pool {
	p.mu.Lock()
	closed := p.closed
	p.all = append(p.all, pool)
	p.mu.Unlock()
	if closed {
		pool.Close()
	}
	return pool
}

// endTerm closes and forgets the pools of a term.
func (p *pools) endTerm(over *term.Term) {
	var ended []*conns.Pool
	p.mu.Lock()
	p.all = slices.DeleteFunc(p.all, func(pool *conns.Pool) bool {
		if pool.Fence() != over {
			return false
		}
		ended = append(ended, pool)
		return true
	})
	p.mu.Unlock()
	for _, pool := range ended {
		pool.Close()
	}
}

// close closes all pools, and those that are added later.
func (p *pools) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	for _, pool := range p.list() {
		pool.Close()
	}
}

func (p *pools) list() []*conns.Pool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.all)
}
