// SPDX-License-Identifier: Apache-2.0

package shutdowntest_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

var anyRequest = shutdowntest.Match{}

func TestRequestsPassWithTheProxysCredentials(t *testing.T) {
	u, proxy := newProxy(t)
	if r := get(t.Context(), client(t, proxy), proxy, "a"); r.err != nil || r.text != body || r.protocol != 2 {
		t.Fatalf("got %+v", r)
	}
	if u.served.Load() != 1 || len(proxy.Requests()) != 1 || len(proxy.Calls()) != 1 {
		t.Errorf("served %d, recorded %v and %v", u.served.Load(), proxy.Requests(), proxy.Calls())
	}
	want := shutdowntest.Target{Verb: "get", Resource: "configmaps", Namespace: "prod", Name: "a"}
	request, call := proxy.Requests()[0], proxy.Calls()[0]
	if request.Target != want || call.Target != want || request.AuditID != call.AuditID || request.AuditID == "" {
		t.Errorf("recorded %+v and %+v", request, call)
	}
}

func TestAStalledRequestReachesTheServerOnceReleased(t *testing.T) {
	u, proxy := newProxy(t)
	rule := proxy.Add(anyRequest, shutdowntest.Stall())
	done := start(t.Context(), client(t, proxy), proxy, "a")
	rule.Await(1)
	if u.served.Load() != 0 || rule.Outstanding() != 1 || proxy.Requests()[0].How != "" {
		t.Errorf("served %d, outstanding %d, %+v", u.served.Load(), rule.Outstanding(), proxy.Requests())
	}
	rule.Release()
	if r := <-done; r.err != nil || r.text != body {
		t.Errorf("got %q, %v", r.text, r.err)
	}
}

func TestABlackHoleWithholdsTheAnswerOfWhatWasApplied(t *testing.T) {
	u, proxy := newProxy(t)
	rule := proxy.Add(anyRequest, shutdowntest.BlackHole())
	ctx, cancel := context.WithCancel(t.Context())
	given, kept := start(ctx, client(t, proxy), proxy, "given-up"), start(t.Context(), client(t, proxy), proxy, "kept")
	rule.Await(2)
	if u.served.Load() != 2 {
		t.Errorf("%d requests reached the server", u.served.Load())
	}
	cancel()
	if r := <-given; !errors.Is(r.err, context.Canceled) {
		t.Errorf("given up with %v", r.err)
	}
	rule.Release()
	if r := <-kept; r.err != nil || r.text != body {
		t.Errorf("got %q, %v", r.text, r.err)
	}
}

func TestHalfABodyArrivesAndTheRestOnceReleased(t *testing.T) {
	_, proxy := newProxy(t)
	rule := proxy.Add(anyRequest, shutdowntest.HalfBody())
	ctx, cancel := context.WithCancel(t.Context())
	given, kept := start(ctx, client(t, proxy), proxy, "given-up"), start(t.Context(), client(t, proxy), proxy, "kept")
	rule.Await(2)
	if len(given) > 0 {
		t.Fatal("the whole body has arrived")
	}
	cancel()
	if r := <-given; !errors.Is(r.err, context.Canceled) || len(r.text) > len(body)/2 {
		t.Errorf("got %d bytes, %v", len(r.text), r.err)
	}
	rule.Release()
	if r := <-kept; r.err != nil || r.text != body {
		t.Errorf("got %q, %v", r.text, r.err)
	}
}

func TestCutsEndRequestsWithAnError(t *testing.T) {
	for _, c := range []struct {
		fault  shutdowntest.Fault
		served int64
	}{{shutdowntest.Cut(), 0}, {shutdowntest.CutConnection(), 0}, {shutdowntest.CutAnswer(), 1}} {
		t.Run(c.fault.String(), func(t *testing.T) {
			u, proxy := newProxy(t)
			rule := proxy.Add(shutdowntest.Match{First: 1}, c.fault)
			http := client(t, proxy)
			if r := get(t.Context(), http, proxy, "a"); r.err == nil {
				t.Error("it was answered")
			}
			rule.Await(1)
			if u.served.Load() != c.served {
				t.Errorf("%d requests reached the server, want %d", u.served.Load(), c.served)
			}
			if r := get(t.Context(), http, proxy, "a"); r.err != nil {
				t.Errorf("a second request, beyond the limit of the rule, ended with %v", r.err)
			}
			if rule.Matched() != 1 {
				t.Errorf("matched %d", rule.Matched())
			}
		})
	}
}

func TestTheProxyAnswersInTheServersStead(t *testing.T) {
	u, proxy := newProxy(t)
	rule := proxy.Add(shutdowntest.Match{Verb: shutdowntest.Read, Name: "busy"}, shutdowntest.Answer(http.StatusTooManyRequests, 7*time.Second))
	http := client(t, proxy)
	if r := get(t.Context(), http, proxy, "busy"); r.err != nil || r.status != 429 || r.retryAfter != "7" {
		t.Errorf("got %+v", r)
	}
	if r := get(t.Context(), http, proxy, "other"); r.err != nil || r.status != 200 {
		t.Errorf("another got %+v", r)
	}
	rule.Remove()
	if r := get(t.Context(), http, proxy, "busy"); r.err != nil || r.status != 200 || u.served.Load() != 2 {
		t.Errorf("without the rule got %+v", r)
	}
}

func TestADelayEnds(t *testing.T) {
	_, proxy := newProxy(t)
	proxy.Add(anyRequest, shutdowntest.Delay(time.Millisecond))
	long := proxy.Add(anyRequest, shutdowntest.Delay(time.Hour))
	http := client(t, proxy)
	if r := get(t.Context(), http, proxy, "a"); r.err != nil || long.Matched() != 0 {
		t.Errorf("got %+v; of two rules that match, the first is to apply", r)
	}
}

func TestDialsStallUntilReleasedAndAreRefused(t *testing.T) {
	_, proxy := newProxy(t)
	stalled := proxy.StallDials()
	ctx, cancel := context.WithCancel(t.Context())
	c := client(t, proxy)
	given, kept := start(ctx, client(t, proxy), proxy, "given-up"), start(t.Context(), c, proxy, "kept")
	stalled.Await(2)
	cancel()
	if r := <-given; !errors.Is(r.err, context.Canceled) {
		t.Errorf("given up with %v", r.err)
	}
	stalled.Release()
	if r := <-kept; r.err != nil || r.text != body {
		t.Errorf("got %q, %v", r.text, r.err)
	}
	proxy.RefuseDials()
	if r := get(t.Context(), c, proxy, "on the connection that is there"); r.err != nil {
		t.Error(r.err)
	}
	proxy.Disconnect()
	if r := get(t.Context(), c, proxy, "on a new one"); r.err == nil {
		t.Error("a connection was made")
	}
}

func TestAwaitOutstandingSaysHowManyThereWere(t *testing.T) {
	_, proxy := newProxy(t)
	rule := proxy.Add(anyRequest, shutdowntest.Stall())
	ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Millisecond, errOver)
	defer cancel()
	err := rule.AwaitOutstanding(ctx, 3)
	if !errors.Is(err, errOver) || err.Error() != "0 of 3 requests are outstanding (any request: stalled): over" {
		t.Error(err)
	}
}
