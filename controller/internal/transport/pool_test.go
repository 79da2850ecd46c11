// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/conns"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

func TestC25CallsBeyondWhatAConnectionCarriesWaitOnTheirOwnContextAndWatchesNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent sync.WaitGroup
		defer sent.Wait()
		release := make(chan struct{})
		told := &told{}
		tr := New(Options{Connections: 1, Observers: observe.Observers{told}})
		client := clientOf(t, tr, &rest.Config{Transport: handler(func(*http.Request) (*http.Response, error) {
			<-release
			return answerOf(200, "{}"), nil
		})})
		call := func(ctx context.Context, unit *work.Unit, path string) chan error {
			done := make(chan error, 1)
			req := request(t, work.NewContext(ctx, unit), "GET", path)
			sent.Go(func() {
				resp, err := client.Do(req)
				if err == nil {
					_ = resp.Body.Close()
				}
				done <- err
			})
			return done
		}
		for range conns.Streams {
			call(t.Context(), &work.Unit{Kind: report.Runnable}, pods)
		}
		synctest.Wait()
		if tr.Waiting() != 0 {
			t.Errorf("%d wait although there is room", tr.Waiting())
		}
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		unit := &work.Unit{Kind: report.Runnable}
		excess := call(ctx, unit, pods)
		for range 2 * conns.Streams {
			call(t.Context(), &work.Unit{Kind: report.Runnable}, "/api/v1/pods?watch=true")
		}
		time.Sleep(3 * time.Second)
		if calls := unit.Outstanding(); tr.Waiting() != 1 || len(calls) != 1 || !calls[0].Waiting {
			t.Errorf("%d wait, the unit is in %+v", tr.Waiting(), calls)
		}
		cancel(why)
		if err := <-excess; !errors.Is(err, why) || !errors.Is(err, context.Canceled) {
			t.Errorf("the call that waited returned %v", err)
		}
		if tr.Waiting() != 0 || !slices.Contains(told.events, "connection for 3s") {
			t.Errorf("%d wait, %v were waited", tr.Waiting(), told.events)
		}
		next := call(t.Context(), unit, pods)
		close(release)
		if err := <-next; err != nil {
			t.Errorf("the call that waited for room returned %v", err)
		}
	})
}

func TestC25EachWorkerHasRoomForACall(t *testing.T) {
	for workers, want := range map[int]int{0: 1, 1: 1, conns.Streams: 1, conns.Streams + 1: 2, 1000: 12} {
		tr := New(Options{})
		tr.SetWorkers(workers)
		if got := tr.pools.limit(); got != want {
			t.Errorf("%d connections for %d workers, want %d", got, workers, want)
		}
	}
	tr := New(Options{Connections: 3})
	tr.SetWorkers(1000)
	if got := tr.pools.limit(); got != 3 {
		t.Errorf("%d connections although 3 were asked for", got)
	}
}

func TestC25WhatLastsTakesNoRoomFromCallsNorFromWatchesAndIsTraced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		traced := map[string]int{}
		var mu sync.Mutex
		tr := New(Options{Connections: 1, Wrap: func(next http.RoundTripper) http.RoundTripper {
			return handler(func(req *http.Request) (*http.Response, error) {
				mu.Lock()
				traced[req.URL.Path]++
				mu.Unlock()
				return next.RoundTrip(req)
			})
		}})
		defer tr.Close()
		client := clientOf(t, tr, &rest.Config{Transport: handler(func(req *http.Request) (*http.Response, error) {
			if req.URL.Path != pods {
				<-release
			}
			return answerOf(200, "{}"), nil
		})})
		unit := &work.Unit{Kind: report.Runnable, Term: newTerm(t, time.Minute)}
		defer unit.Term.End(cause.TermResigned, "")
		ctx := work.NewContext(t.Context(), unit)
		var sent sync.WaitGroup
		send := func(method, path string) {
			resp, err := client.Do(request(t, ctx, method, path))
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
		}
		for range conns.Streams {
			sent.Go(func() { send("GET", pods+"/log") })
			sent.Go(func() { send("POST", pods+"/proxy/x") })
			sent.Go(func() { send("GET", "/api/v1/pods?watch=true") })
		}
		synctest.Wait()
		send("GET", pods)
		send("PUT", pods)
		if tr.Waiting() != 0 || len(tr.pools.all) != 5 {
			t.Errorf("%d wait, there are %d pools", tr.Waiting(), len(tr.pools.all))
		}
		close(release)
		sent.Wait()
		if traced[pods+"/log"] != conns.Streams || traced[pods+"/proxy/x"] != conns.Streams || traced[pods] != 2 || traced["/api/v1/pods"] != 0 {
			t.Errorf("traced: %v", traced)
		}
	})
}

// TestC25TheClientForLookUpsHasNoConnectionOfItsOwn counts the connections to a server of HTTP/2.
func TestC25TheClientForLookUpsHasNoConnectionOfItsOwn(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	var dialled atomic.Int32
	tr := New(Options{})
	defer tr.Close()
	config, client := tr.InstrumentWithClient(&rest.Config{
		Host: server.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled.Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	})
	for _, of := range []func() (*http.Client, error){func() (*http.Client, error) { return rest.HTTPClientFor(config) }, client} {
		c, err := of()
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/pods", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	if n := dialled.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}
