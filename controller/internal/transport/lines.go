package transport

import (
	"context"
	"net/http"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// lines are the pools of all clients made from one configuration.
type lines struct {
	base   *rest.Config // nil when the user has set a transport, which then carries everything
	shared http.RoundTripper

	mu             sync.Mutex
	watches, calls *pool
	// lasting is for what lasts as long as its caller likes, as logs and proxied requests do: it takes no room that
	// calls wait for.
	lasting  *pool
	upgrades *pool // of calls whose connections client-go makes
	// Of the term that the last call of each kind needed. Both are fenced.
	term, lastingInTerm, upgradesInTerm *pool
}

// pool finds the pool for a call. What needs a term comes first, because only its connections are fenced.
func (l *lines) pool(t *Transport, c *call, needed *term.Term) *pool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case needed != nil && c.LongRunning():
		return l.open(t, &l.lastingInTerm, 0, needed, t.Trace)
	case needed != nil:
		return l.open(t, &l.term, t.connections(), needed, t.Trace)
	case c.Verb == "watch", c.unit != nil && c.unit.Kind == work.Informer:
		return l.open(t, &l.watches, 0, nil, nil)
	case c.LongRunning():
		return l.open(t, &l.lasting, 0, nil, t.Trace)
	default:
		return l.open(t, &l.calls, t.connections(), nil, t.Trace)
	}
}

// open makes the pool at a place where there is none for the term yet. It is called with the lock held.
func (l *lines) open(t *Transport, at **pool, connections int, needed *term.Term, trace func(http.RoundTripper) http.RoundTripper) *pool {
	if *at == nil || (*at).fence != needed {
		*at = t.addPool(newPool(l.base, l.shared, connections, needed), trace)
	}
	return *at
}

// upgrade finds the pool that knows the connections which client-go makes. Their writes cannot be fenced, so
// those of a term are closed the moment that it ends, and not only when all its work has returned.
func (l *lines) upgrade(t *Transport, needed *term.Term) *pool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if needed == nil {
		return l.open(t, &l.upgrades, 0, nil, nil)
	}
	before := l.upgradesInTerm
	p := l.open(t, &l.upgradesInTerm, 0, needed, nil)
	if p != before {
		context.AfterFunc(needed.Lost(), p.close)
	}
	return p
}
