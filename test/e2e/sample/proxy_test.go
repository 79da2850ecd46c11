// SPDX-License-Identifier: Apache-2.0

package sample_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// proxy stands between the sample controller and the API server, and can stop passing requests on, while
// what the server sends still arrives: as when a network breaks in one direction, calls stay outstanding.
type proxy struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu    sync.Mutex
	flow  chan struct{} // closed while requests are passed on
	held  int           // bytes of requests that wait
	conns []net.Conn
}

// newProxy returns a proxy that passes requests on, and the config for reaching the API server through it.
func newProxy(t *testing.T, config *rest.Config) (*proxy, *rest.Config) {
	t.Helper()
	server, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: server.Host, flow: make(chan struct{})}
	p.resume()
	p.running.Go(func() { p.accept(t.Context()) })
	t.Cleanup(p.close)
	through := rest.CopyConfig(config)
	through.Host = "https://" + listener.Addr().String()
	return p, through
}

func (p *proxy) accept(ctx context.Context) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		requests := make(chan []byte, 1000)
		p.running.Go(func() { p.take(requests, client) })
		p.running.Go(func() { p.pass(server, requests) })
		p.running.Go(func() {
			_, _ = io.Copy(client, server) // until either is closed
			_ = client.Close()
		})
	}
}

// take reads requests, and goes on reading while the flow is stopped.
func (p *proxy) take(requests chan<- []byte, client net.Conn) {
	defer close(requests)
	for {
		buffer := make([]byte, 32<<10)
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		p.hold(n)
		requests <- buffer[:n]
	}
}

// pass writes requests once the flow lets it.
func (p *proxy) pass(server net.Conn, requests <-chan []byte) {
	defer func() { _ = server.Close() }()
	for request := range requests {
		<-p.flowing()
		p.hold(-len(request))
		_, _ = server.Write(request) // when that fails, the other direction ends too
	}
}

func (p *proxy) hold(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held += n
}

func (p *proxy) flowing() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.flow
}

func (p *proxy) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flow = make(chan struct{})
}

func (p *proxy) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.flow:
	default:
		close(p.flow)
	}
}

// aRequest is a size that tells a request with a body from what HTTP/2 sends by itself.
const aRequest = 300

// awaitHeld waits until so many bytes are held.
func (p *proxy) awaitHeld(t *testing.T, bytes int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		p.mu.Lock()
		held := p.held
		p.mu.Unlock()
		if held >= bytes {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after a minute %d bytes are held, want %d", held, bytes)
		}
	}
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.resume()
	p.mu.Lock()
	for _, conn := range p.conns {
		_ = conn.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}
