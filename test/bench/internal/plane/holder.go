// SPDX-License-Identifier: Apache-2.0

package plane

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
)

// streams is how many requests kube-apiserver allows on a connection.
const streams = 100

// Holder stands before the API server and never answers a GET of a single object.
type Holder struct {
	Kubeconfig string // file

	server  *httptest.Server
	proxy   *httputil.ReverseProxy
	release chan struct{}

	mu      sync.Mutex
	held    int
	conns   int
	changed chan struct{}
}

// NewHolder starts one. The kubeconfig is a file in dir.
func (p *Plane) NewHolder(dir string) (*Holder, error) {
	target, err := url.Parse(p.Config.Host)
	if err != nil {
		return nil, err
	}
	upstream, err := rest.TransportFor(rest.CopyConfig(p.Config))
	if err != nil {
		return nil, err
	}
	if target.Scheme == "" {
		target = &url.URL{Scheme: "https", Host: p.Config.Host}
	}
	h := &Holder{Kubeconfig: path.Join(dir, "holder"), release: make(chan struct{}), changed: make(chan struct{})}
	quiet := slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo) // what clients give up is what is measured
	h.proxy = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     upstream,
		FlushInterval: -1,
		ErrorLog:      quiet,
	}
	h.server = httptest.NewUnstartedServer(h)
	h.server.EnableHTTP2 = true
	h.server.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: streams}
	h.server.Config.ErrorLog = quiet
	h.server.Listener = counting{Listener: h.server.Listener, holder: h}
	h.server.StartTLS()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.server.Certificate().Raw})
	err = controlplane.WriteKubeconfig(h.Kubeconfig, &rest.Config{
		Host: h.server.URL, TLSClientConfig: rest.TLSClientConfig{CAData: ca, ServerName: "example.com"},
	})
	if err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// ServeHTTP holds GETs of objects and passes on all else.
func (h *Holder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || r.URL.Query().Has("watch") || !strings.Contains(r.URL.Path, "/configmaps/") {
		h.proxy.ServeHTTP(w, r)
		return
	}
	h.count(1)
	defer h.count(-1)
	select {
	case <-r.Context().Done():
	case <-h.release:
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "the benchmark has ended")
	}
}

func (h *Holder) count(change int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held += change
	close(h.changed)
	h.changed = make(chan struct{})
}

// Await waits until n requests are held.
func (h *Holder) Await(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		h.mu.Lock()
		held, changed := h.held, h.changed
		h.mu.Unlock()
		if held == n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d calls are outstanding: %w", held, n, context.Cause(ctx))
		}
	}
}

// Connections is how many have been opened so far.
func (h *Holder) Connections() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.conns
}

// Close ends it, and what it holds.
func (h *Holder) Close() {
	close(h.release)
	h.server.CloseClientConnections()
	h.server.Close()
}

// counting counts connections as they are accepted.
type counting struct {
	net.Listener
	holder *Holder
}

func (c counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.holder.mu.Lock()
		c.holder.conns++
		c.holder.mu.Unlock()
	}
	return conn, err
}
