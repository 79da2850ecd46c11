// SPDX-License-Identifier: Apache-2.0

package serve_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/util/cert"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/serve"
)

// certificate writes a certificate for localhost that it has made, and returns its authority.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	chain, key, err := cert.GenerateSelfSignedCertKey("localhost", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"tls.crt": chain, "tls.key": key} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(chain)
	return pool
}

// secured is a server with TLS on a port of the machine.
func secured(t *testing.T, options *serve.TLS) (address string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &serve.Server{Name: "test", Handler: content, TLS: options}
	ctx, stop := context.WithCancel(klog.NewContext(t.Context(), logr.FromSlogHandler(slog.NewTextHandler(t.Output(), nil))))
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// get makes a request, and returns the versions of HTTP and of TLS that the answer came by.
func get(t *testing.T, address string, config *tls.Config) (proto int, version uint16, err error) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.ProtoMajor, answer.TLS.Version, err
}

func TestAServerSpeaksTLS13AndHTTP1UnlessAsked(t *testing.T) {
	dir := t.TempDir()
	authority := certificate(t, dir)
	files := serve.TLS{CertFile: filepath.Join(dir, "tls.crt"), KeyFile: filepath.Join(dir, "tls.key")}
	with2 := files
	with2.HTTP2 = true
	for name, test := range map[string]struct {
		options serve.TLS
		proto   int
	}{"by default": {files, 1}, "asked": {with2, 2}} {
		proto, version, err := get(t, secured(t, &test.options), &tls.Config{RootCAs: authority})
		if err != nil || proto != test.proto || version != tls.VersionTLS13 {
			t.Errorf("%s: HTTP/%d, TLS %x, %v", name, proto, version, err)
		}
	}
	if _, _, err := get(t, secured(t, &files), &tls.Config{RootCAs: authority, MaxVersion: tls.VersionTLS12}); err == nil {
		t.Error("it speaks TLS 1.2")
	}
}

func TestACertificateIsReadAgainWhenItChanges(t *testing.T) {
	dir := t.TempDir()
	first := certificate(t, dir)
	address := secured(t, &serve.TLS{CertFile: filepath.Join(dir, "tls.crt"), KeyFile: filepath.Join(dir, "tls.key")})
	if _, _, err := get(t, address, &tls.Config{RootCAs: first}); err != nil {
		t.Fatal(err)
	}
	second := certificate(t, dir)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		_, _, err := get(t, address, &tls.Config{RootCAs: second})
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it was not read again: %v", err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "tls.key"), []byte("half written"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // until the files are looked at again
	if _, _, err := get(t, address, &tls.Config{RootCAs: second}); err != nil {
		t.Errorf("while the files cannot be used: %v", err)
	}
}

func TestAServerSaysAtTheStartWhatIsWrongWithItsCertificate(t *testing.T) {
	dir := t.TempDir()
	certificate(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "bad.key"), []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	crt := filepath.Join(dir, "tls.crt")
	for name, test := range map[string]struct {
		server serve.Server
		want   string
	}{
		"no file":          {serve.Server{TLS: &serve.TLS{CertFile: crt, KeyFile: filepath.Join(dir, "none")}}, "no such file"},
		"no key":           {serve.Server{TLS: &serve.TLS{CertFile: crt, KeyFile: filepath.Join(dir, "bad.key")}}, "bad.key"},
		"nothing said":     {serve.Server{TLS: &serve.TLS{}}, "set TLS.CertFile"},
		"a guard, no TLS":  {serve.Server{Guard: &serve.Guard{}}, "set Server.TLS"},
		"not on this host": {serve.Server{Address: "192.0.2.1:1"}, "192.0.2.1:1"},
	} {
		test.server.Name = "page"
		test.server.Handler = content
		err := test.server.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "serve page on") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALocalServerAnswersOnlyForLocalNames(t *testing.T) {
	for host, want := range map[string]int{
		"localhost:8082": 200, "127.0.0.1:8082": 200, "[::1]:8082": 200, "localhost": 200,
		"attacker.example:8082": 403, "10.0.0.1:8082": 403, "": 403, "localhost.attacker.example": 403,
	} {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Host = host
			serve.Local(content).ServeHTTP(w, r)
		})
		if got := ask(t, handler, "GET", "/", ""); got != want {
			t.Errorf("%q: %d, want %d", host, got, want)
		}
	}
}

func TestProfilesOfTheProcessAreServed(t *testing.T) {
	for path, want := range map[string]int{
		"/debug/pprof/": 200, "/debug/pprof/heap": 200, "/debug/pprof/goroutine?debug=1": 200,
		"/debug/pprof/none": 404, "/debug/pprof/profile?seconds=1": 200,
	} {
		if got := ask(t, serve.Profiles(), "GET", path, ""); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

// TestAProfileIsAFileUnlessItIsText, so that a browser stores it under its name.
func TestAProfileIsAFileUnlessItIsText(t *testing.T) {
	const file = "application/octet-stream"
	for path, want := range map[string]struct{ kind, disposition string }{
		"/debug/pprof/heap":              {file, `attachment; filename="heap"`},
		"/debug/pprof/goroutine?debug=0": {file, `attachment; filename="goroutine"`},
		"/debug/pprof/goroutine?debug=1": {"text/plain; charset=utf-8", ""},
	} {
		answer := httptest.NewRecorder()
		serve.Profiles().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
		header := answer.Header()
		if header.Get("Content-Type") != want.kind || header.Get("Content-Disposition") != want.disposition {
			t.Errorf("%s has the header %v, want %+v", path, header, want)
		}
		if sniffs := header.Get("X-Content-Type-Options") != "nosniff"; want.kind == file && sniffs {
			t.Errorf("%s has the header %v: a browser may guess what it is", path, header)
		}
	}
}
