// SPDX-License-Identifier: Apache-2.0

package shutdowntest_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errOver = errors.New("over")

// body is what the server of these tests answers.
var body = strings.Repeat("0123456789", 100)

// upstream is a server that counts what reaches it, and knows its proxy's credentials.
type upstream struct {
	served atomic.Int64
}

// newProxy starts a proxy in front of a server.
func newProxy(t testing.TB) (*upstream, *shutdowntest.Proxy) {
	t.Helper()
	u := &upstream{}
	server := httptest.NewUnstartedServer(u)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return u, shutdowntest.NewProxy(t, &rest.Config{
		Host: server.URL, BearerToken: "secret", TLSClientConfig: rest.TLSClientConfig{CAData: ca, ServerName: "example.com"},
	})
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	u.served.Add(1)
	if req.Header.Get("Authorization") != "Bearer secret" {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	_, _ = io.WriteString(w, body) // the client may have gone
}

// client is a plain HTTP client with connections of its own.
func client(t testing.TB, proxy *shutdowntest.Proxy) *http.Client {
	t.Helper()
	config := proxy.Config()
	config.Dial = (&net.Dialer{}).DialContext
	c, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const mapsPath = "/api/v1/namespaces/prod/configmaps"

// reply is what came of a request.
type reply struct {
	text       string
	status     int
	retryAfter string
	protocol   int
	err        error
}

// get reads an object of a name.
func get(ctx context.Context, c *http.Client, proxy *shutdowntest.Proxy, name string) reply {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, proxy.Config().Host+mapsPath+"/"+name, nil)
	if err != nil {
		return reply{err: err}
	}
	resp, err := c.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	return reply{text: string(content), status: resp.StatusCode, retryAfter: resp.Header.Get("Retry-After"), protocol: resp.ProtoMajor, err: err}
}

func start(ctx context.Context, c *http.Client, proxy *shutdowntest.Proxy, name string) <-chan reply {
	done := make(chan reply, 1)
	go func() { done <- get(ctx, c, proxy, name) }()
	return done
}

// recorder is a test whose failures are kept instead.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Error(args ...any) { r.failures = append(r.failures, fmt.Sprint(args...)) }

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) wantOne(part string) {
	r.Helper()
	if len(r.failures) != 1 || !strings.Contains(r.failures[0], part) {
		r.TB.Errorf("the failures are %q, want one with %q", r.failures, part)
	}
}
