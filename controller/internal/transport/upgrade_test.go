// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// upgrader is as client-go's: it makes the connection itself, and tells of it.
type upgrader struct {
	conn   *open
	sent   int
	dials  bool                                        // for as long as it may
	answer func(*http.Request) (*http.Response, error) // nil for one that upgrades
}

// open is a connection that knows when it is closed. As with any net.Conn, several may close it at once.
type open struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func (o *open) Close() error {
	o.once.Do(func() { close(o.closed) })
	return nil
}

func (o *open) isClosed() bool {
	synctest.Wait()
	select {
	case <-o.closed:
		return true
	default:
		return false
	}
}

func (u *upgrader) RoundTrip(req *http.Request) (*http.Response, error) {
	u.sent++
	if strings.HasPrefix(req.URL.Scheme, "ws") || len(req.Header["Once"]) != 1 {
		return nil, errors.New("the request has been used before")
	}
	req.URL.Scheme = "ws" // as client-go's WebSockets do
	delete(req.Header, "Once")
	if u.dials {
		<-req.Context().Done()
		return nil, errors.New("dial: " + req.Context().Err().Error())
	}
	u.conn = &open{closed: make(chan struct{})}
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil {
		trace.GotConn(httptrace.GotConnInfo{Conn: u.conn})
	}
	if u.answer != nil {
		return u.answer(req)
	}
	return answerOf(http.StatusSwitchingProtocols, ""), nil
}

// upgrade makes a call as client-go's executors do.
func upgrade(ctx context.Context, t *testing.T, config *rest.Config, u *upgrader) error {
	t.Helper()
	return send(t, config, u, request(t, ctx, "GET", pods+"/exec"))
}

func send(t *testing.T, config *rest.Config, u *upgrader, req *http.Request) error {
	t.Helper()
	rt, err := rest.HTTPWrappersForConfig(config, u)
	if err != nil {
		t.Fatal(err)
	}
	req.Header["Once"] = []string{""}
	resp, err := rt.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	return err
}

func notDialled(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("a connection of ours")
}

func TestC14AnUpgradeIsSentByWhatClientGoBringsForItAndEndsWithTheTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		traced, wrapped := 0, 0
		tr := New(Options{
			Observers: observe.Observers{&told{}},
			Wrap:      func(next http.RoundTripper) http.RoundTripper { traced++; return next },
		})
		defer tr.Close()
		config := tr.Instrument(&rest.Config{Host: "http://server.invalid", Dial: notDialled, WrapTransport: func(next http.RoundTripper) http.RoundTripper {
			wrapped++ // by the user
			return next
		}})
		u, unit := &upgrader{}, &work.Unit{Term: newTerm(t, time.Minute)}
		detached := work.NewContext(context.WithoutCancel(t.Context()), unit)
		for range 2 { // the second finds the pool of the first
			if err := upgrade(detached, t, config, u); err != nil || u.conn.isClosed() {
				t.Fatalf("the upgrade returned %v, its connection is closed: %v", err, u.conn.isClosed())
			}
		}
		if cost := unit.Cost(); cost.Calls != 2 || cost.Writes != 2 || len(unit.Outstanding()) != 0 || traced != 2 || wrapped != 2 || len(tr.pools.all) != 1 {
			t.Errorf("the unit was in %+v, and is in %v; %d were traced, %d wrapped; there are %d pools", cost, unit.Outstanding(), traced, wrapped, len(tr.pools.all))
		}
		unit.Term.End(cause.TermTaken, "b")
		if !u.conn.isClosed() {
			t.Error("its connection outlives the term")
		}
		if err := upgrade(detached, t, config, u); !errors.Is(err, cause.LeadershipLost) || u.sent != 2 {
			t.Errorf("after the term, %d were sent: %v", u.sent, err)
		}
		tr.EndTerm(unit.Term)

		if err := upgrade(t.Context(), t, config, u); err != nil || u.conn.isClosed() {
			t.Errorf("without a term it returned %v, its connection is closed: %v", err, u.conn.isClosed())
		}
		tr.Close()
		if !u.conn.isClosed() {
			t.Error("its connection outlives Run")
		}
		if err := upgrade(t.Context(), t, config, u); !errors.Is(err, ErrEnded) || u.sent != 3 {
			t.Errorf("after Run, %d were sent: %v", u.sent, err)
		}
	})
}

func TestC14AnUpgradeThatIsNotDoneEndsWithTheTermAndItsContext(t *testing.T) {
	for name, test := range map[string]struct{ dials, term bool }{
		"a dial, with the term": {true, true}, "a dial, with the context": {true, false},
		"an answer, with the term": {false, true}, "an answer, with the context": {false, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u, unit := &upgrader{dials: test.dials}, &work.Unit{Term: newTerm(t, time.Minute)}
				defer unit.Term.End(cause.TermResigned, "")
				u.answer = func(*http.Request) (*http.Response, error) { // only its connection's end ends it
					<-u.conn.closed
					return nil, net.ErrClosed
				}
				ctx, cancel := context.WithCancelCause(work.NewContext(context.WithoutCancel(t.Context()), unit))
				defer cancel(nil)
				tr := New(Options{})
				defer tr.Close()
				config, done := tr.Instrument(&rest.Config{Host: "http://server.invalid", Dial: notDialled}), make(chan error)
				go func() { done <- upgrade(ctx, t, config, u) }()
				synctest.Wait()
				began, want := time.Now(), cause.Shutdown
				if test.term {
					unit.Term.End(cause.TermTaken, "b")
					want = cause.LeadershipLost
				} else {
					cancel(cause.Shutdown)
				}
				if err := <-done; !errors.Is(err, want) || !errors.Is(err, context.Canceled) || time.Since(began) > 0 {
					t.Errorf("after %v it returned %v", time.Since(began), err)
				}
			})
		})
	}
}

func TestC14WhatIsNoUpgradeNeedsItsTermTooAndDoesNotCloseAConnectionThatItMayShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, unit, tr := &upgrader{}, &work.Unit{Term: newTerm(t, time.Minute)}, New(Options{})
		defer tr.Close()
		config := tr.Instrument(&rest.Config{Host: "http://server.invalid", Dial: notDialled})
		ctx := work.NewContext(context.WithoutCancel(t.Context()), unit)
		if err := send(t, config, u, request(t, ctx, "PUT", pods)); err != nil {
			t.Fatal(err)
		}
		unit.Term.End(cause.TermTaken, "b")
		if u.conn.isClosed() {
			t.Error("the connection has been closed")
		}
		if err := send(t, config, u, request(t, ctx, "PUT", pods)); !errors.Is(err, cause.LeadershipLost) || u.sent != 1 {
			t.Errorf("%d were sent: %v", u.sent, err)
		}
	})
}

func TestC18AnUpgradesRefusalThatClientGoMakesAnErrorOfIsARefusal(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		sent int
		ends bool
	}{
		"older":      {refused("99"), 3, false},
		"newer":      {refused("101"), 1, true},
		"incomplete": {strings.TrimSuffix(refused("101"), "01]\"}"), 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u, unit := &upgrader{}, &work.Unit{Term: newTerm(t, time.Minute)}
				defer unit.Term.End(cause.TermResigned, "")
				u.answer = func(*http.Request) (*http.Response, error) {
					if u.sent == 3 {
						return answerOf(http.StatusSwitchingProtocols, ""), nil
					}
					return nil, errors.New("unable to upgrade streaming request: " + test.text)
				}
				tr := New(Options{})
				defer tr.Close()
				config := tr.Instrument(&rest.Config{Host: "http://server.invalid", Dial: notDialled})
				err := upgrade(work.NewContext(t.Context(), unit), t, config, u)
				if u.sent != test.sent || (unit.Term.Err() != nil) != test.ends || errors.Is(err, cause.LeadershipLost) != test.ends || unit.Cost().Calls != test.sent {
					t.Errorf("%d were sent (%+v), the term: %v, the last: %v", u.sent, unit.Cost(), unit.Term.Err(), err)
				}
			})
		})
	}
}
