// SPDX-License-Identifier: Apache-2.0

package conns

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	ktransport "k8s.io/client-go/transport"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// Streams is the number of requests that one connection carries at the same time. The API server
// allows 100, and client-go opens another connection for each request beyond that. The rest is room
// for streams that were cancelled and that the server still counts.
const Streams = 90

// Config is what a pool is made of.
type Config struct {
	// Base is what to make transports from. If it is nil, all requests go through Shared, because
	// the user has set a transport.
	Base   *rest.Config
	Shared http.RoundTripper
	// Limit is the number of connections; 0 for as many as needed.
	Limit int
	// Fence is the term that the requests need; nil if they need none.
	Fence *term.Term
	// Wrap wraps each transport; nil for no wrapper.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Pool is the connections for one purpose, so that no load of one kind delays another. It is safe
// for concurrent use.
type Pool struct {
	config  Config
	slots   chan struct{} // holds an element for each request; nil without a limit
	conns   open
	waiting atomic.Int64

	making sync.Mutex // held while a transport is made, which reads certificate files

	mu         sync.Mutex
	transports []*Transport
}

// Transport is a round tripper that has one connection.
type Transport struct {
	http.RoundTripper
	requests int // guarded by Pool.mu
}

// Single returns a transport for one request, which any pool releases.
func Single(next http.RoundTripper) *Transport {
	return &Transport{RoundTripper: next, requests: 1}
}

// New makes a pool. It opens no connection.
func New(config Config) *Pool {
	p := &Pool{config: config}
	if config.Base == nil && config.Shared != nil {
		p.Add(p.wrapped(config.Shared))
	}
	if config.Limit > 0 {
		p.slots = make(chan struct{}, config.Limit*Streams)
	}
	return p
}

// Fence returns the term that the pool's requests need, or nil.
func (p *Pool) Fence() *term.Term { return p.config.Fence }

// Dialer returns a function that opens connections of this pool.
func (p *Pool) Dialer(dial DialFunc) DialFunc { return p.conns.dialer(dial, p.config.Fence) }

// Add adds a round tripper that was made elsewhere.
func (p *Pool) Add(next http.RoundTripper) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.transports = append(p.transports, &Transport{RoundTripper: next})
}

// Adopt adds a connection that was dialled elsewhere. It is closed at once if the pool is closed.
func (p *Pool) Adopt(dialled net.Conn, fence *term.Term) *Conn {
	p.conns.forgetClosed()
	c, closed := p.conns.track(plain(dialled), fence)
	if closed {
		c.Abort()
	}
	return c
}

// TryAcquire returns a transport with room for a request, or nil if there is none now. Release must
// follow.
func (p *Pool) TryAcquire() (*Transport, error) {
	if p.slots != nil {
		select {
		case p.slots <- struct{}{}:
		default:
			return nil, nil //nolint:nilnil // no room is no error
		}
	}
	return p.take()
}

// Acquire waits for a transport with room for a request, until ctx ends. Release must follow.
func (p *Pool) Acquire(ctx context.Context) (*Transport, error) {
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	select {
	case p.slots <- struct{}{}:
		return p.take()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Release gives a transport back after a request.
func (p *Pool) Release(t *Transport) {
	p.mu.Lock()
	t.requests--
	p.mu.Unlock()
	if p.slots != nil {
		<-p.slots
	}
}

// Waiting returns the number of requests that wait for room.
func (p *Pool) Waiting() int { return int(p.waiting.Load()) }

// Ended returns [ErrEnded] once the pool opens no connection any more.
func (p *Pool) Ended() error { return p.conns.ended() }

// take returns a transport for a request that has a slot. It makes one if all are full.
func (p *Pool) take() (*Transport, error) {
	if t := p.withRoom(); t != nil {
		return t, nil
	}
	p.making.Lock()
	defer p.making.Unlock()
	if t := p.withRoom(); t != nil { // another request has made it meanwhile
		return t, nil
	}
	next, err := p.connect()
	if err != nil {
		if p.slots != nil {
			<-p.slots
		}
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t := &Transport{RoundTripper: next, requests: 1}
	p.transports = append(p.transports, t)
	return t, nil
}

// withRoom takes room on a transport, and returns it, or nil if there is none.
func (p *Pool) withRoom() *Transport {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.transports {
		if t.requests < Streams || p.config.Base == nil {
			t.requests++
			return t
		}
	}
	return nil
}

// connect makes a transport as client-go would, but with connections that nobody shares. What
// authenticates each request is done before it comes here; what authenticates a connection is done
// here.
func (p *Pool) connect() (http.RoundTripper, error) {
	base := p.config.Base
	config := rest.AnonymousClientConfig(base)
	config.CertData = base.CertData
	config.CertFile = base.CertFile
	config.KeyData = base.KeyData
	config.KeyFile = base.KeyFile
	config.ExecProvider = base.ExecProvider // it may have a certificate to show
	// The user's wrapper is outside, so that it does not see a request twice that had no turn to
	// dial.
	config.WrapTransport = ktransport.Wrappers(newSingleDial, base.WrapTransport)
	config.UserAgent = ""
	config.Dial = onlyWithTurn(p.Dialer(base.Dial))
	next, err := rest.TransportFor(config)
	if err != nil {
		return nil, err
	}
	return p.wrapped(next), nil
}

func (p *Pool) wrapped(next http.RoundTripper) http.RoundTripper {
	if p.config.Wrap == nil {
		return next
	}
	return p.config.Wrap(next)
}

// Reconnect closes all connections, so that the next request opens another.
func (p *Pool) Reconnect() { p.conns.close(false) }

// CloseIdle closes the connections on which no request is outstanding, and with them the goroutines
// that read from them.
func (p *Pool) CloseIdle() {
	p.mu.Lock()
	transports := append([]*Transport(nil), p.transports...)
	p.mu.Unlock()
	for _, t := range transports {
		closeIdle(t.RoundTripper)
	}
}

// Close closes all connections, and opens none any more.
func (p *Pool) Close() {
	p.conns.close(true)
	p.CloseIdle() // ends dials for which no request waits any more
}

// closeIdle finds the transport that has the connections, below any number of wrappers.
func closeIdle(rt http.RoundTripper) {
	for rt != nil {
		if closer, ok := rt.(interface{ CloseIdleConnections() }); ok {
			closer.CloseIdleConnections()
			return
		}
		wrapper, ok := rt.(utilnet.RoundTripperWrapper)
		if !ok {
			return
		}
		rt = wrapper.WrappedRoundTripper()
	}
}
