// SPDX-License-Identifier: Apache-2.0

package shutdowntest

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
)

// maxStreams is what kube-apiserver allows on a connection.
const maxStreams = 100

// Proxy stands between clients and an API server. It keeps a record of what passes and does to it what
// the rules say. It speaks HTTP/2 over TLS on 127.0.0.1, and HTTP/1.1 to those who want it; connections
// are not upgraded, so exec, attach and port-forward do not work through it.
type Proxy struct {
	t        testing.TB
	client   *rest.Config
	base     *url.URL
	upstream http.RoundTripper
	dialer   *dialer
	server   *http.Server
	listener *listener
	handlers sync.WaitGroup // requests
	inbound  sync.WaitGroup // connections, and the goroutine that accepts them
	calls    callRecord

	mu        sync.Mutex
	changed   chan struct{} // closed when something happens
	rules     []*Rule
	otherwise *Rule // of what no rule is about
	requests  []*Request
}

// NewProxy starts a proxy in front of the API server that config names, with config's credentials. The
// proxy ends with the test, and everything that it started ends with it.
func NewProxy(t testing.TB, config *rest.Config) *Proxy {
	t.Helper()
	p := &Proxy{t: t, dialer: &dialer{}, changed: make(chan struct{})}
	p.otherwise = &Rule{proxy: p} // without a fault
	if err := p.start(config); err != nil {
		t.Fatalf("start a proxy in front of %s: %v", config.Host, err)
	}
	t.Cleanup(p.close)
	return p
}

func (p *Proxy) start(config *rest.Config) (err error) {
	if p.base, _, err = rest.DefaultServerUrlFor(config); err != nil {
		return err
	}
	// Its own dialer keeps the connections apart from those of other clients in the process, with
	// whom client-go would share them.
	up := rest.CopyConfig(config)
	p.dialer.dial = config.Dial
	up.Dial = p.dialer.DialContext
	if p.upstream, err = rest.TransportFor(up); err != nil {
		return err
	}
	cert, ca, err := certificate()
	if err != nil {
		return err
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.client = rest.AnonymousClientConfig(config)
	p.client.Host = "https://" + inner.Addr().String()
	p.client.TLSClientConfig = rest.TLSClientConfig{CAData: ca}
	p.client.Dial, p.client.Proxy = nil, nil
	p.listener = newListener(inner)
	p.serve(cert)
	return nil
}

// Config is what clients reach the proxy with. It has the settings of the config that the proxy was made
// from, such as QPS and user agent, but not its credentials. Clients made from it are observed on their
// side too: see [Proxy.Calls]. Each call returns a copy.
func (p *Proxy) Config() *rest.Config {
	config := rest.CopyConfig(p.client)
	config.Wrap(p.calls.observe)
	return config
}

// Add subjects the requests that match to a fault, from now on. Of several rules that match, the one
// that was added first applies.
func (p *Proxy) Add(match Match, fault Fault) *Rule {
	r := &Rule{proxy: p, match: match, fault: fault, released: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = append(p.rules, r)
	return r
}

// StallDials accepts new connections and serves them only when the rule is released. Connections that
// are there stay as they are; see [Proxy.Disconnect].
func (p *Proxy) StallDials() *Rule { return p.addDials(Fault{kind: stallDial}) }

// RefuseDials closes new connections as soon as they are there, until the rule is removed or released.
func (p *Proxy) RefuseDials() *Rule { return p.addDials(Fault{kind: refuseDial}) }

func (p *Proxy) addDials(fault Fault) *Rule {
	r := p.Add(Match{}, fault)
	p.listener.setRule(r)
	return r
}

// Connections is how many connections clients have, and how many they had at most. One that a client has closed
// counts until that has been noticed here.
func (p *Proxy) Connections() (open, most int) { return p.listener.count() }

// Disconnect closes all connections that clients have, as a server that restarts does.
func (p *Proxy) Disconnect() { p.listener.closeConns() }

func (p *Proxy) serve(cert tls.Certificate) {
	p.server = &http.Server{
		Handler:           p,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: time.Minute,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo), // handshakes that clients gave up
		ConnState:         p.connState,
		ConnContext:       withConn,
	}
	p.inbound.Go(func() {
		_ = p.server.ServeTLS(p.listener, "", "") // ends with http.ErrServerClosed
	})
}

func (p *Proxy) connState(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		p.inbound.Add(1)
	case http.StateClosed, http.StateHijacked:
		p.inbound.Done()
	}
}

// close ends everything and waits for it.
func (p *Proxy) close() {
	_ = p.server.Close() // says no more than that connections were closed already
	p.inbound.Wait()
	p.handlers.Wait()
	p.closeIdle()
	p.dialer.close()
	p.calls.closeIdle()
}

// closeIdle closes the connections to the API server on which there is no request.
func (p *Proxy) closeIdle() { utilnet.CloseIdleConnectionsFor(p.upstream) }

// notify wakes those who wait for something. The lock is held.
func (p *Proxy) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}
