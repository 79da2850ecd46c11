// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	clientmetrics "k8s.io/client-go/tools/metrics"
	ktransport "k8s.io/client-go/transport"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

func init() { ktransport.CertCallbackRefreshDuration = time.Second }

// hundred is how many of each are made and ended.
const hundred = 100

// to makes a request, and returns its answer.
func to(t *testing.T, ctx context.Context, client *http.Client, method, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// done makes a request, and reads the answer.
func done(t *testing.T, ctx context.Context, client *http.Client, method, url string) {
	t.Helper()
	resp := to(t, ctx, client, method, url)
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

// rotations returns the number of goroutines of client-go that read certificates for transports.
func rotations() int {
	n := 0
	for _, stack := range work.Stacks() {
		n += strings.Count(stack, "transport.(*dynamicClientCert).run(")
	}
	return n
}

// nothingLeft fails unless no goroutine but the given ones and no connection is there soon, and no
// transport more than before.
func nothingLeft(t *testing.T, s *secured, before goleak.Option, transports int64) {
	t.Helper()
	// The only goroutines that may wait for that read certificates for the transports of client-go
	// over which no call went, and of which client-go keeps one for each configuration.
	runtime.GC()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	soon(t, func() string {
		return unless(s.connections() == 0, "%d connections are open", s.connections())
	})
	soon(t, func() string {
		n := cached.Load()
		return unless(n <= transports, "client-go's cache has %d transports, and had %d before", n, transports)
	})
}

// soon fails if there is a complaint for long.
func soon(t *testing.T, complaint func() string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		why := complaint()
		if why == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(why)
		}
	}
}

func unless(right bool, format string, args ...any) string {
	if right {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

// cached is the number of transports in client-go's cache, which it tells about.
var cached = func() *atomic.Int64 {
	var n atomic.Int64
	clientmetrics.TransportCacheEntries = entries{&n}
	return &n
}()

type entries struct{ n *atomic.Int64 }

func (e entries) Observe(n int) { e.n.Store(int64(n)) }

func TestNothingIsLeftOfAHundredTransportsThatEnd(t *testing.T) {
	s := newSecured(t)
	for caller, config := range s.credentials(t) {
		t.Run(caller, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			useAll(t, s, config) // the first connects what the process has only once
			runtime.GC()
			transports := cached.Load()
			defer debug.SetGCPercent(debug.SetGCPercent(-1))
			for range hundred {
				useAll(t, s, config)
			}
			// client-go makes transports for clients, over which no call goes. It shares them unless
			// a configuration has a Proxy.
			if n := rotations(); n > 1 && config.Proxy == nil {
				t.Errorf("%d goroutines read certificates", n)
			}
			if n := cached.Load(); n > transports+1 {
				t.Errorf("client-go's cache has %d transports, and had %d before", n, transports)
			}
			callers := s.takeCallers()
			if slices.Contains(callers, "") || !slices.Contains(callers, caller) {
				t.Errorf("the callers were %v", slices.Compact(slices.Sorted(slices.Values(callers))))
			}
			nothingLeft(t, s, before, transports)
		})
	}
}

// useAll makes a transport, makes calls of every kind, and ends it.
func useAll(t *testing.T, s *secured, config *rest.Config) {
	t.Helper()
	tr := New(Options{})
	defer tr.Close()
	client := clientOf(t, tr, config)
	_, lease, reconnect, err := tr.ForLease(config)
	if err != nil {
		t.Fatal(err)
	}
	inTerm := newTerm(t, time.Minute)
	defer inTerm.End(cause.TermResigned, "")
	item := work.NewContext(t.Context(), &work.Unit{Kind: report.Item, Term: inTerm})
	done(t, item, client, "PUT", s.URL+pods)
	done(t, item, client, "GET", s.URL+pods)
	watching, stop := context.WithCancel(t.Context())
	defer stop()
	resp := to(t, watching, client, "GET", s.URL+"/api/v1/pods?watch=true")
	defer resp.Body.Close()
	done(t, t.Context(), lease, "GET", s.URL+pods)
	reconnect()
	done(t, t.Context(), lease, "GET", s.URL+pods)
}

func TestNothingIsLeftOfAHundredTermsThatEnd(t *testing.T) {
	s := newSecured(t)
	for caller, config := range s.credentials(t) {
		t.Run(caller, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			tr := New(Options{})
			client := clientOf(t, tr, config)
			done(t, t.Context(), client, "GET", s.URL+pods)
			transports, pools := cached.Load(), len(tr.pools.all)
			defer debug.SetGCPercent(debug.SetGCPercent(-1))
			for range hundred {
				inTerm := newTerm(t, time.Minute)
				done(t, work.NewContext(t.Context(), &work.Unit{Kind: report.Item, Term: inTerm}), client, "PUT", s.URL+pods)
				inTerm.End(cause.TermResigned, "")
				tr.EndTerm(inTerm)
			}
			if n := rotations(); n > 1 {
				t.Errorf("%d goroutines read certificates while the manager runs", n)
			}
			if len(tr.pools.all) > pools {
				t.Errorf("%d pools, and %d before", len(tr.pools.all), pools)
			}
			if open := s.connections(); open > hundred/2 {
				t.Errorf("%d connections are open while the manager runs", open)
			}
			tr.Close()
			nothingLeft(t, s, before, transports)
		})
	}
}

// TestAClientHasNoGoroutineThatReadsCertificates keeps the client: client-go's own transport would
// live as long, and the goroutine with it.
func TestAClientHasNoGoroutineThatReadsCertificates(t *testing.T) {
	config := newSecured(t).withCertificate(t, "files")
	tr := New(Options{})
	defer tr.Close()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	client := clientOf(t, tr, config)
	soon(t, func() string {
		return unless(rotations() == 1, "client-go has made no transport that reads certificates")
	})
	soon(t, func() string {
		runtime.GC()
		return unless(rotations() == 0, "a goroutine reads certificates, for a transport of no use")
	})
	if tls, err := utilnet.TLSClientConfig(client.Transport); err != nil || tls == nil || tls.GetClientCertificate == nil {
		t.Errorf("the client does not tell its TLS configuration: %v, %v", tls, err)
	}
}

// TestANewCertificateIsUsedWithoutBreakingACall replaces the files while a watch is open.
func TestANewCertificateIsUsedWithoutBreakingACall(t *testing.T) {
	defer runtime.GC() // ends what still reads the files, which are removed now
	s := newSecured(t)
	config := s.withCertificate(t, "old")
	tr := New(Options{})
	defer tr.Close()
	client := clientOf(t, tr, config)
	_, lease, _, err := tr.ForLease(config)
	if err != nil {
		t.Fatal(err)
	}
	watching, stop := context.WithCancel(t.Context())
	defer stop()
	watch := to(t, watching, client, "GET", s.URL+"/api/v1/pods?watch=true") //nolint:bodyclose // the server ends it
	defer watch.Body.Close()
	calls := func() {
		done(t, t.Context(), client, "GET", s.URL+pods)
		done(t, t.Context(), lease, "GET", s.URL+pods)
	}
	calls()
	writeCertificate(t, config, "new")
	time.Sleep(1100 * time.Millisecond) // of the real clock, which TLS needs
	calls()
	if callers := s.takeCallers(); !slices.Equal(callers, []string{"old", "old", "old", "new", "new"}) {
		t.Errorf("the callers were %v", callers)
	}
	soon(t, func() string {
		return unless(s.connections() == 3, "%d connections are open, want those of the watch, the calls and the lease", s.connections())
	})
	ended := make(chan error, 1)
	go func() {
		_, err := watch.Body.Read(make([]byte, 1))
		ended <- err
	}()
	select {
	case err := <-ended:
		t.Errorf("the watch broke off: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	stop()
	t.Log("the watch ended with", <-ended)
}

// TestAWrapperOfTheUserSeesACallOfALeaseOnce as it does each other call.
func TestAWrapperOfTheUserSeesACallOfALeaseOnce(t *testing.T) {
	s := newSecured(t)
	var seen atomic.Int64
	config := s.withCertificate(t, "one")
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return handler(func(req *http.Request) (*http.Response, error) {
			seen.Add(1)
			return next.RoundTrip(req)
		})
	})
	tr := New(Options{})
	defer tr.Close()
	_, lease, _, err := tr.ForLease(config)
	if err != nil {
		t.Fatal(err)
	}
	done(t, t.Context(), lease, "GET", s.URL+pods)
	if n := seen.Load(); n != 1 {
		t.Errorf("it has seen the call %d times", n)
	}
}
