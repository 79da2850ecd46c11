package transport

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"k8s.io/client-go/rest"
	ktransport "k8s.io/client-go/transport"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// streams is how many calls one connection carries at the same time. The API server allows 100, and client-go
// opens another connection for each call beyond that; the rest is room for streams that have been
// cancelled and that the server still counts.
const streams = 90

// pool is the connections for one purpose (C25), so that no load of one kind delays another.
type pool struct {
	base  *rest.Config // nil: all pools share one transport, because the user has set it
	fence *term.Term   // what is sent needs this term; nil for what needs none
	slots chan struct{}
	conns connections
	trace func(http.RoundTripper) http.RoundTripper // around each lane; nil for nothing

	waiting atomic.Int64

	mu    sync.Mutex
	lanes []*lane
}

// lane is a transport that is meant to have one connection.
type lane struct {
	next  http.RoundTripper
	calls int
}

// newPool makes a pool of so many connections, 0 for as many as it takes.
func newPool(base *rest.Config, shared http.RoundTripper, connections int, fence *term.Term) *pool {
	p := &pool{base: base, fence: fence}
	if base == nil {
		p.lanes = []*lane{{next: shared}}
	}
	if connections > 0 {
		p.slots = make(chan struct{}, connections*streams)
	}
	return p
}

// tryAcquire finds a connection with room, nil if there is none at the moment. release must follow.
func (p *pool) tryAcquire() (*lane, error) {
	if p.slots != nil {
		select {
		case p.slots <- struct{}{}:
		default:
			return nil, nil
		}
	}
	return p.take()
}

// acquire waits for room on a connection, no longer than ctx (C25).
func (p *pool) acquire(ctx context.Context) (*lane, error) {
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	select {
	case p.slots <- struct{}{}:
		return p.take()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// take finds the connection for a call that has a slot, or makes another.
func (p *pool) take() (*lane, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lanes {
		if l.calls < streams || p.base == nil {
			l.calls++
			return l, nil
		}
	}
	next, err := p.connect()
	if err != nil {
		if p.slots != nil {
			<-p.slots
		}
		return nil, err
	}
	l := &lane{next: next, calls: 1}
	p.lanes = append(p.lanes, l)
	return l, nil
}

func (p *pool) release(l *lane) {
	p.mu.Lock()
	l.calls--
	p.mu.Unlock()
	if p.slots != nil {
		<-p.slots
	}
}

// connect makes a transport as client-go would, but with connections that are nobody else's. What
// authenticates each request has been done by the time it comes here; what authenticates a connection is
// done here.
func (p *pool) connect() (http.RoundTripper, error) {
	config := rest.AnonymousClientConfig(p.base)
	config.CertData, config.CertFile = p.base.CertData, p.base.CertFile
	config.KeyData, config.KeyFile = p.base.KeyData, p.base.KeyFile
	config.ExecProvider = p.base.ExecProvider                                    // may have a certificate to show
	config.WrapTransport = ktransport.Wrappers(newOneDial, p.base.WrapTransport) // the user's does not see whose turn it is
	config.UserAgent = ""
	config.Dial = inTurns(p.conns.dialer(p.base.Dial, p.fence))
	next, err := rest.TransportFor(config)
	if err != nil {
		return nil, err
	}
	if p.trace != nil {
		next = p.trace(next)
	}
	return next, nil
}

func (p *pool) closeIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lanes {
		closeIdle(l.next)
	}
}

// close closes all connections and lets none be made any more.
func (p *pool) close() {
	p.conns.close(true)
	p.closeIdle() // and the dials that nobody waits for
}
