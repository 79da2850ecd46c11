// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/internal/conns"
)

// serverStreams is the number of streams that the API server allows on a connection.
const serverStreams = 100

// dialled is a client with one connection's worth of calls, a server that answers /api/v1/pods at
// once and nothing else ever, and a count of the connections that were opened.
type dialled struct {
	*testing.T
	server *httptest.Server
	client *http.Client
	held   atomic.Int64
	dials  atomic.Int64
	open   atomic.Int64
	most   atomic.Int64 // of open
}

// counted is a connection that says when it is closed.
type counted struct {
	net.Conn
	closed func()
}

func (c *counted) Close() error { c.closed(); return c.Conn.Close() }

func newDialled(t *testing.T, http2 bool) *dialled {
	d := &dialled{T: t}
	d.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == pods {
			_, _ = io.Copy(io.Discard, req.Body)
			return
		}
		d.held.Add(1)
		defer d.held.Add(-1)
		<-req.Context().Done()
	}))
	d.server.EnableHTTP2 = http2
	d.server.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: serverStreams}
	d.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	d.server.StartTLS()
	t.Cleanup(d.server.Close)
	config := &rest.Config{Host: d.server.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
	config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		d.dials.Add(1)
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		d.most.Store(max(d.most.Load(), d.open.Add(1)))
		return &counted{conn, sync.OnceFunc(func() { d.open.Add(-1) })}, nil
	}
	tr := New(Options{Connections: 1})
	d.client = clientOf(t, tr, config)
	t.Cleanup(tr.Close)
	return d
}

// body cannot be read once it has been closed, as a file.
type body struct {
	*strings.Reader
	closed atomic.Bool
}

func (b *body) Close() error { b.closed.Store(true); return nil }

func (b *body) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, fs.ErrClosed
	}
	return b.Reader.Read(p)
}

// burst makes n calls at the same time. returned waits for them.
func (d *dialled) burst(ctx context.Context, n int, method, path string) (returned func() (failed int64)) {
	var calls sync.WaitGroup
	var failures atomic.Int64
	start := make(chan struct{})
	for range n {
		req := request(d.T, ctx, method, path)
		req.URL.Scheme, req.URL.Host, req.Host = "https", d.server.Listener.Addr().String(), ""
		if method == "POST" {
			req.GetBody = func() (io.ReadCloser, error) { return &body{Reader: strings.NewReader("{}")}, nil }
			req.Body, _ = req.GetBody()
		}
		calls.Go(func() {
			<-start
			resp, err := d.client.Do(req)
			if err != nil {
				failures.Add(1)
				return
			}
			_ = resp.Body.Close()
		})
	}
	close(start)
	return func() int64 { calls.Wait(); return failures.Load() }
}

func (d *dialled) await(n int64) {
	d.Helper()
	for deadline := time.Now().Add(time.Minute); d.held.Load() != n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			d.Fatalf("%d calls are at the server, want %d", d.held.Load(), n)
		}
	}
}

func (d *dialled) want(dials int64, when string) {
	d.Helper()
	if n := d.dials.Swap(0); n > dials {
		d.Errorf("%s, %d connections were opened, want %d", when, n, dials)
	}
}

const burst = 4 * conns.Streams

func TestC25ABurstOfCallsOpensOneConnection(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		d := newDialled(t, true)
		if failed := d.burst(t.Context(), burst, method, pods)(); failed > 0 {
			t.Errorf("%d calls failed", failed)
		}
		d.want(1, "at the beginning")
		d.server.CloseClientConnections()
		d.burst(t.Context(), burst, method, pods)() // some learn of it only now
		if failed := d.burst(t.Context(), burst, method, pods)(); failed > 0 {
			t.Errorf("%d calls failed after the connection was lost", failed)
		}
		d.want(2, "after the connection was lost") // one may be opened and be the one that is found broken
	}
}

func TestC25CancellingAllCallsOfAConnectionAtOnceOpensNoMoreThanAnother(t *testing.T) {
	d := newDialled(t, true)
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		returned := d.burst(ctx, conns.Streams, "GET", pods+"/held")
		d.await(conns.Streams)
		after := d.burst(t.Context(), burst, "GET", pods) // waits for room
		cancel()
		returned()
		if failed := after(); failed > 0 {
			t.Errorf("%d calls failed", failed)
		}
		d.await(0)
	}
	// Another, and one that is found not to be needed any more.
	if most := d.most.Load(); most > 3 {
		t.Errorf("%d connections were open at once, of %d, want 2", most, d.dials.Load())
	}
}

func TestC25AServerWithoutHTTP2GetsAConnectionForEachCall(t *testing.T) {
	d := newDialled(t, false)
	ctx, cancel := context.WithCancel(t.Context())
	returned := d.burst(ctx, conns.Streams, "GET", pods+"/held")
	d.await(conns.Streams)
	d.want(conns.Streams, "over HTTP/1.1")
	cancel()
	returned()
}
