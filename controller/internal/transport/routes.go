// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"net/http"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/internal/conns"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// routes is the pools of all clients that are made from one configuration.
type routes struct {
	base   *rest.Config // nil if the user has set a transport, which then carries everything
	shared http.RoundTripper
	pools  *pools

	certificate *conns.Certificate // of base, if it is in files

	mu      sync.Mutex
	watches *conns.Pool
	calls   *conns.Pool
	// longRunning is for calls that last as long as their callers want, such as logs and proxied
	// requests, so that they take no room for which other calls wait.
	longRunning *conns.Pool
	upgrades    *conns.Pool // of calls whose connections client-go makes

	// The pools of the term that the last call of each kind needed. They are fenced.
	callsInTerm       *conns.Pool
	longRunningInTerm *conns.Pool
	upgradesInTerm    *conns.Pool
	stopUpgrades      func() bool // stops waiting for the end of the term of upgradesInTerm
}

// pool returns the pool for a call. Calls that need a term come first, because only their
// connections are fenced.
func (r *routes) pool(c *call, needed *term.Term) *conns.Pool {
	needed = wholeOf(needed)
	long := apicall.LongRunning(&c.Call.Call)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case needed != nil && long:
		return r.open(&r.longRunningInTerm, "long calls of the term", 0, needed, r.pools.wrap)
	case needed != nil:
		return r.open(&r.callsInTerm, "writes of the term", r.pools.limit(), needed, r.pools.wrap)
	case c.Verb == "watch", c.Unit != nil && c.Unit.Kind == report.Informer:
		return r.open(&r.watches, "watches", 0, nil, nil)
	case long:
		return r.open(&r.longRunning, "long calls", 0, nil, r.pools.wrap)
	default:
		return r.open(&r.calls, "calls", r.pools.limit(), nil, r.pools.wrap)
	}
}

// wholeOf returns the term that fences the connections for calls that need a term: all of its parts share
// them.
func wholeOf(needed *term.Term) *term.Term {
	if needed == nil {
		return nil
	}
	return needed.Whole()
}

// open makes the pool in a field, unless there is one for the term already. It is called with the
// lock held.
func (r *routes) open(
	at **conns.Pool, purpose string, limit int, needed *term.Term, wrap func(http.RoundTripper) http.RoundTripper,
) *conns.Pool {
	if *at == nil || (*at).Fence() != needed {
		*at = r.pools.add(conns.New(conns.Config{
			Base: r.base, Shared: r.shared, Certificate: r.certificate,
			Purpose: purpose, Limit: limit, Fence: needed, Wrap: wrap,
		}))
	}
	return *at
}

// upgrade returns the pool that knows the connections which client-go makes. Their writes cannot be
// fenced. Those of a term are closed in the moment in which it ends, and not only when all its work
// has returned.
func (r *routes) upgrade(needed *term.Term) *conns.Pool {
	needed = wholeOf(needed)
	r.mu.Lock()
	defer r.mu.Unlock()
	if needed == nil {
		return r.open(&r.upgrades, "upgraded calls", 0, nil, nil)
	}
	before := r.upgradesInTerm
	p := r.open(&r.upgradesInTerm, "upgraded calls of the term", 0, needed, nil)
	if p == before {
		return p
	}
	if r.stopUpgrades != nil {
		r.stopUpgrades() // that term has ended, or its pool is closed at the end of its work
	}
	r.stopUpgrades = context.AfterFunc(needed.Lost(), p.Close)
	if needed.Lost().Err() != nil {
		p.Close() // now, and not when the goroutine of AfterFunc runs
	}
	return p
}
