// SPDX-License-Identifier: Apache-2.0

package conns

import (
	"context"
	"net"
	"net/http"
	"slices"
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
	// Certificate is that of Base, if it is in files.
	Certificate *Certificate
	// Purpose says in a few words what the connections are for.
	Purpose string
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
	certificate int64 // which version of the client certificate it was made with
	requests    int   // guarded by Pool.mu
	retired     bool  // guarded by Pool.mu: it takes no further request
}

// Single returns a transport for one request, which any pool releases.
func Single(next http.RoundTripper) *Transport {
	return &Transport{RoundTripper: next, requests: 1}
}

// New makes a pool. It opens no connection.
func New(config Config) *Pool {
	p := &Pool{config: config}
	if config.Base == nil && config.Shared != nil {
		p.transports = []*Transport{{RoundTripper: p.wrapped(config.Shared)}}
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
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := ctx.Err(); err != nil { // both were ready
		<-p.slots
		return nil, err
	}
	return p.take()
}

// Release gives a transport back after a request.
func (p *Pool) Release(t *Transport) {
	p.mu.Lock()
	t.requests--
	unused := t.retired && t.requests == 0
	p.mu.Unlock()
	if unused {
		closeIdle(t.RoundTripper)
	}
	if p.slots != nil {
		<-p.slots
	}
}

// Load is what a pool carries now.
type Load struct {
	Purpose                               string
	Connections, Limit, Requests, Waiting int
}

// Load returns what the pool carries now.
func (p *Pool) Load() Load {
	p.mu.Lock()
	defer p.mu.Unlock()
	load := Load{
		Purpose: p.config.Purpose, Connections: len(p.transports), Limit: p.config.Limit, Waiting: p.Waiting(),
	}
	for _, t := range p.transports {
		load.Requests += t.requests
	}
	return load
}

// Waiting returns the number of requests that wait for room.
func (p *Pool) Waiting() int { return int(p.waiting.Load()) }

// Ended returns [ErrEnded] once the pool opens no connection any more.
func (p *Pool) Ended() error { return p.conns.ended() }

// take returns a transport for a request that has a slot. It makes one if all are full.
func (p *Pool) take() (*Transport, error) {
	version := p.config.Certificate.latest()
	if p.config.Certificate != nil {
		p.retire(version)
	}
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
	t := &Transport{RoundTripper: next, certificate: version, requests: 1}
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

// retire drops the transports that were made with another client certificate than the latest. What
// is outstanding on them goes on, and then their connections are closed.
func (p *Pool) retire(latest int64) {
	var unused []*Transport
	p.mu.Lock()
	p.transports = slices.DeleteFunc(p.transports, func(t *Transport) bool {
		t.retired = t.certificate < latest
		if t.retired && t.requests == 0 {
			unused = append(unused, t)
		}
		return t.retired
	})
	p.mu.Unlock()
	for _, t := range unused {
		closeIdle(t.RoundTripper)
	}
}

// connect makes a transport as client-go would, but with connections that nobody shares. What
// authenticates each request is done before it comes here; what authenticates a connection is done
// here.
func (p *Pool) connect() (http.RoundTripper, error) {
	if err := p.Ended(); err != nil {
		return nil, err
	}
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
	made, err := config.TransportConfig()
	if err != nil {
		return nil, err
	}
	p.config.Certificate.apply(made)
	if made.Proxy == nil {
		// As without one, but such a transport is not kept in client-go's cache, which belongs to
		// the process and forgets a transport only with the help of the garbage collector.
		made.Proxy = http.ProxyFromEnvironment
	}
	next, err := ktransport.New(made)
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

// Reconnect closes all connections, so that the next request opens another. It must not be used for a
// pool without a Config.Base.
func (p *Pool) Reconnect() {
	p.forget() // first: a transport may notice later that its connection is closed
	p.conns.close(false)
}

// Close closes all connections, and opens none any more.
func (p *Pool) Close() {
	p.conns.close(true)
	for _, t := range p.forget() {
		closeIdle(t.RoundTripper) // ends dials for which no request waits any more
	}
}

// forget drops all transports, and returns them.
func (p *Pool) forget() []*Transport {
	p.mu.Lock()
	defer p.mu.Unlock()
	forgotten := p.transports
	p.transports = nil
	return forgotten
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
