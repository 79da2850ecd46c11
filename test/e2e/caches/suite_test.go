// SPDX-License-Identifier: Apache-2.0

// Package caches_test has the tests of caches that fail, or hold what the API server does not have,
// against a real kube-apiserver.
package caches_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(suite.Main(m, suite.Options{Started: func(p *controlplane.ControlPlane) { plane = p }}))
}

// has returns an error unless a text has all parts.
func has(text string, parts ...string) error {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return fmt.Errorf("no %q in:\n%s", part, text)
		}
	}
	return nil
}

func namespace(t *testing.T) string { return suite.Namespace(t, plane, "caches-") }

func create(t *testing.T, config *rest.Config, namespace, name, value string) {
	t.Helper()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"value": value}}
	_, err := kubernetes.NewForConfigOrDie(config).CoreV1().ConfigMaps(namespace).Create(t.Context(), object, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// proxy is before an API server, which it can replace by another.
type proxy struct {
	*httptest.Server
	mu      sync.Mutex
	handler http.Handler
	cut     context.CancelFunc // ends all requests
	current context.Context
}

func newProxy(t *testing.T, config *rest.Config) *proxy {
	p := &proxy{}
	p.serve(t, config)
	p.Server = httptest.NewServer(p)
	t.Cleanup(func() { p.end(); p.CloseClientConnections(); p.Close() })
	return p
}

// serve makes the proxy a proxy of an API server, and cuts what goes on.
func (p *proxy) serve(t *testing.T, config *rest.Config) {
	t.Helper()
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport, FlushInterval: -1,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	t.Cleanup(func() {
		if idle, ok := transport.(interface{ CloseIdleConnections() }); ok {
			idle.CloseIdleConnections()
		}
	})
	p.answer(forward)
}

// answer lets a handler answer, and cuts what goes on.
func (p *proxy) answer(handler http.Handler) {
	p.end()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handler = handler
	p.current, p.cut = context.WithCancel(context.Background())
}

func (p *proxy) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut != nil {
		p.cut()
	}
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	p.mu.Lock()
	handler, current := p.handler, p.current
	p.mu.Unlock()
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	defer context.AfterFunc(current, cancel)()
	handler.ServeHTTP(w, req.WithContext(ctx))
}

// config is the configuration of the proxy's clients. The proxy is the administrator.
func (p *proxy) config() *rest.Config { return &rest.Config{Host: p.URL} }
