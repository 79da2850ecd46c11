package transport

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

func TestC25CallsBeyondWhatAConnectionCarriesWaitOnTheirOwnContextAndWatchesNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent sync.WaitGroup
		defer sent.Wait()
		release := make(chan struct{})
		tr := &Transport{Connections: 1}
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
		for range streams {
			call(t.Context(), &work.Unit{Kind: work.Runnable}, pods)
		}
		synctest.Wait()
		if tr.Waiting() != 0 {
			t.Errorf("%d wait although there is room", tr.Waiting())
		}
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		unit := &work.Unit{Kind: work.Runnable}
		excess := call(ctx, unit, pods)
		for range 2 * streams {
			call(t.Context(), &work.Unit{Kind: work.Runnable}, "/api/v1/pods?watch=true")
		}
		time.Sleep(3 * time.Second)
		if calls := unit.Outstanding(); tr.Waiting() != 1 || len(calls) != 1 || !calls[0].Waiting {
			t.Errorf("%d wait, the unit is in %+v", tr.Waiting(), calls)
		}
		cancel(why)
		if err := <-excess; !errors.Is(err, why) || !errors.Is(err, context.Canceled) {
			t.Errorf("the call that waited returned %v", err)
		}
		if tr.Waiting() != 0 || unit.Cost().Waited != 3*time.Second {
			t.Errorf("%d wait, %v were waited", tr.Waiting(), unit.Cost().Waited)
		}
		next := call(t.Context(), unit, pods)
		close(release)
		if err := <-next; err != nil {
			t.Errorf("the call that waited for room returned %v", err)
		}
	})
}

// serverStreams is what the API server allows on a connection.
const serverStreams = 100

func TestC25ALaneIsOneConnectionsWorthOfCalls(t *testing.T) {
	if streams >= serverStreams {
		t.Errorf("%d calls on a connection, of which the server carries %d", streams, serverStreams)
	}
	p := newPool(&rest.Config{Host: "http://server.invalid"}, nil, 3, nil)
	var first *lane
	for i := range 3 * streams {
		l, err := p.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = l
		}
		if l.calls > streams || len(p.lanes) != i/streams+1 {
			t.Fatalf("call %d: %d lanes, this one has %d calls", i, len(p.lanes), l.calls)
		}
	}
	full, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.acquire(full); !errors.Is(err, context.Canceled) {
		t.Errorf("a full pool returned %v", err)
	}
	p.release(first)
	if l, err := p.acquire(t.Context()); err != nil || l != first {
		t.Errorf("the room that was given back is not used: %v", err)
	}
}

func TestC25EachWorkerHasRoomForACall(t *testing.T) {
	for workers, want := range map[int]int{0: 1, 1: 1, streams: 1, streams + 1: 2, 1000: 12} {
		tr := &Transport{}
		tr.Workers(workers)
		if got := tr.connections(); got != want {
			t.Errorf("%d connections for %d workers, want %d", got, workers, want)
		}
	}
	tr := &Transport{Connections: 3}
	tr.Workers(1000)
	if got := tr.connections(); got != 3 {
		t.Errorf("%d connections although 3 were asked for", got)
	}
}

func TestC25WhatLastsTakesNoRoomFromCallsNorFromWatchesAndIsTraced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		traced := map[string]int{}
		var mu sync.Mutex
		tr := &Transport{Connections: 1, Trace: func(next http.RoundTripper) http.RoundTripper {
			return handler(func(req *http.Request) (*http.Response, error) {
				mu.Lock()
				traced[req.URL.Path]++
				mu.Unlock()
				return next.RoundTrip(req)
			})
		}}
		defer tr.Close()
		client := clientOf(t, tr, &rest.Config{Transport: handler(func(req *http.Request) (*http.Response, error) {
			if req.URL.Path != pods {
				<-release
			}
			return answerOf(200, "{}"), nil
		})})
		unit := &work.Unit{Kind: work.Runnable, Term: newTerm(t, time.Minute)}
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
		for range streams {
			sent.Go(func() { send("GET", pods+"/log") })
			sent.Go(func() { send("POST", pods+"/proxy/x") })
			sent.Go(func() { send("GET", "/api/v1/pods?watch=true") })
		}
		synctest.Wait()
		send("GET", pods)
		send("PUT", pods)
		if tr.Waiting() != 0 || len(tr.pools) != 5 {
			t.Errorf("%d wait, there are %d pools", tr.Waiting(), len(tr.pools))
		}
		close(release)
		sent.Wait()
		if traced[pods+"/log"] != streams || traced[pods+"/proxy/x"] != streams || traced[pods] != 2 || traced["/api/v1/pods"] != 0 {
			t.Errorf("traced: %v", traced)
		}
	})
}
