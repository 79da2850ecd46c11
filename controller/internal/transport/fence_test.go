// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// handler is an API server that needs no connection.
type handler func(*http.Request) (*http.Response, error)

func (h handler) RoundTrip(req *http.Request) (*http.Response, error) { return h(req) }

func answerOf(code int, body string) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func newTerm(t *testing.T, length time.Duration) *term.Term {
	start := time.Now()
	return term.New(t.Context(), term.Config{
		Term:     cause.Term{Lease: types.NamespacedName{Namespace: "n", Name: "lease"}, Holder: "a", ResourceVersion: "100"},
		Validity: length, Clock: func() time.Duration { return time.Since(start) }}, 0)
}

func clientOf(t *testing.T, tr *Transport, config *rest.Config) *http.Client {
	t.Helper()
	client, err := rest.HTTPClientFor(tr.Instrument(config))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func request(t *testing.T, ctx context.Context, method, path string) *http.Request {
	t.Helper()
	var body io.Reader
	if method != http.MethodGet {
		body = bytes.NewReader([]byte("{}"))
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://server.invalid"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

const pods = "/api/v1/namespaces/n/pods/p"

func TestC26TheTimeLeftIsToldToTheServerAndNeverMoreThanTheTermHas(t *testing.T) {
	for _, test := range []struct {
		method, path   string
		deadline, term time.Duration // zero: none
		want           string
	}{
		{"GET", pods, 10 * time.Second, 0, "10.001s"},
		{"GET", pods, 0, 0, ""},
		{"GET", pods, 0, 5 * time.Second, ""}, // a read needs no term
		{"PUT", pods, 10 * time.Second, 5 * time.Second, "5s"},
		{"PUT", pods, 0, 5 * time.Second, "5s"},
		{"PUT", pods, time.Second, 5 * time.Second, "1.001s"},
		{"PUT", pods + "?timeout=3s", time.Second, 5 * time.Second, "3s"},
		{"PUT", pods + "?dryRun=All", time.Second, 0, "1.001s"},
		{"GET", "/api/v1/pods?watch=true", time.Second, 5 * time.Second, ""},
		{"POST", pods + "/exec", time.Second, 5 * time.Second, ""},
		{"GET", pods + "/log", time.Second, 5 * time.Second, ""},
		{"GET", "/readyz", time.Second, 5 * time.Second, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			var seen url.Values
			tr := New(Options{Connections: 1})
			client := clientOf(t, tr, &rest.Config{Transport: handler(func(req *http.Request) (*http.Response, error) {
				seen = req.URL.Query()
				return answerOf(200, "{}"), nil
			})})
			unit := &work.Unit{Kind: report.Runnable}
			if test.term > 0 {
				unit.Term = newTerm(t, test.term)
				defer unit.Term.End(cause.TermResigned, "")
			}
			ctx := work.NewContext(t.Context(), unit)
			if test.deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, test.deadline)
				defer cancel()
			}
			resp, err := client.Do(request(t, ctx, test.method, test.path))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if got := seen.Get("timeout"); got != test.want {
				t.Errorf("%s %s with %v left and a term of %v: timeout=%q, want %q", test.method, test.path, test.deadline, test.term, got, test.want)
			}
		})
	}
}

func refused(version string) string {
	return fmt.Sprintf(`{"message":"pods \"p\" is forbidden: ValidatingAdmissionPolicy 'f' with binding 'f' denied request: fenced by lease n/lease: `+
		`pod a does not hold it, pod b does; stop [pod=a holderIdentity=b resourceVersion=%s]"}`, version)
}

// told is an observer that keeps what it is told.
type told struct {
	observe.Nop

	mu     sync.Mutex
	events []string
}

func (o *told) add(event string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, event)
}

func (o *told) CallAttempted(_ context.Context, _ *observe.Call, attempt observe.Attempt) {
	o.add(fmt.Sprintf("%d in %v", attempt.Code, attempt.Took))
}

func (o *told) CallThrottled(_ context.Context, throttle observe.Throttle) {
	if !throttle.Ahead {
		o.add(fmt.Sprintf("%s for %v", throttle.Reason, throttle.Wait))
	}
}

func TestC18ARefusalByAnOlderLeaseIsTriedAgainAndByANewerOneEndsTheTerm(t *testing.T) {
	once := []string{"403 in 1s"}
	for name, test := range map[string]struct {
		body  string
		calls int
		ends  bool
		told  []string // to the observer
	}{
		"older": {refused("99"), 4, false, []string{
			"403 in 1s", "fence for 2ms", "403 in 1s", "fence for 4ms", "403 in 1s", "fence for 8ms", "200 in 1s",
		}},
		"the one we saw": {refused("100"), 1, true, once},
		"newer":          {refused("101"), 1, true, once},
		"no details":     {`denied request: fenced by lease: stop`, 1, true, once},
		"something else": {`pods "p" is forbidden: no`, 1, false, once},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls, told, unit := 0, &told{}, &work.Unit{Term: newTerm(t, time.Minute)}
				needed := unit.Term
				client := clientOf(t, New(Options{Connections: 1, Observers: observe.Observers{told}}), &rest.Config{Transport: handler(func(req *http.Request) (*http.Response, error) {
					if limit, err := time.ParseDuration(req.URL.Query().Get("timeout")); err != nil || limit > needed.Remaining() {
						t.Errorf("the server may work for %v (%v), the term is valid for %v", limit, err, needed.Remaining())
					}
					if sent, _ := io.ReadAll(req.Body); string(sent) != "{}" {
						t.Errorf("the body is %q", sent)
					}
					time.Sleep(time.Second)
					if calls++; calls > 3 {
						return answerOf(200, "{}"), nil
					}
					return answerOf(403, test.body), nil
				})})
				defer needed.End(cause.TermResigned, "")
				resp, err := client.Do(request(t, work.NewContext(t.Context(), unit), "PUT", pods))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.told, told.events); diff != "" {
					t.Error(diff)
				}
				if cost := unit.Cost(); cost.Calls != test.calls || cost.Writes != test.calls || len(unit.Outstanding()) != 1 {
					t.Errorf("the cost is %+v, outstanding: %v", cost, unit.Outstanding())
				}
				body, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if calls != test.calls || (needed.Err() != nil) != test.ends || calls == 1 && string(body) != test.body {
					t.Errorf("%d calls, the term: %v, the answer: %s", calls, needed.Err(), body)
				}
				var ended *cause.TermEnded
				if test.ends && (!errors.As(needed.Err(), &ended) || ended.How != cause.TermRefused) {
					t.Errorf("the term ended with %v", needed.Err())
				}
			})
		})
	}
}

// wire is a connection that keeps what was written to it.
type wire struct {
	net.Conn
	mu   sync.Mutex
	sent bytes.Buffer
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent.Write(p)
}

func (w *wire) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent.String()
}

// slowBody gives its first part at once, and the rest when it may.
type slowBody struct {
	part int
	rest chan struct{}
}

func (b *slowBody) Read(p []byte) (int, error) {
	switch b.part++; b.part {
	case 1:
		return copy(p, strings.Repeat("first ", 2000)), nil // more than is buffered
	case 2:
		<-b.rest
		return copy(p, strings.Repeat("second ", 2000)), nil
	}
	return 0, io.EOF
}

func TestC14NothingOfARequestLeavesAfterTheTermThatBeganBefore(t *testing.T) {
	type sent struct {
		method, path string
		slow         bool
	}
	tests := map[string]sent{"with the body half sent": {"PUT", pods, true}}
	for _, call := range []string{
		"PUT " + pods, "GET " + pods + "/exec", "POST " + pods + "/exec", "GET " + pods + "/attach", "POST " + pods + "/attach",
		"GET " + pods + "/portforward", "POST " + pods + "/portforward", "GET " + pods + "/proxy/x?watch=true", "POST " + pods + "/proxy/x",
		"GET /api/v1/namespaces/n/services/s/proxy/x", "POST /api/v1/namespaces/n/services/s/proxy/x", "GET /api/v1/nodes/n/proxy/x",
	} {
		method, path, _ := strings.Cut(call, " ")
		tests["before the dial is done: "+call] = sent{method, path, false}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			slow := test.slow
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				defer near.Close()
				defer far.Close()
				w, dialled := &wire{Conn: near}, make(chan struct{})
				tr := New(Options{Connections: 1})
				defer tr.Close()
				client := clientOf(t, tr, &rest.Config{Host: "http://server.invalid", Dial: func(context.Context, string, string) (net.Conn, error) {
					if !slow {
						<-dialled
					}
					return w, nil
				}})
				needed := newTerm(t, time.Minute)
				body := &slowBody{rest: make(chan struct{})}
				// Detached: only the fence can stop it.
				req := request(t, work.NewContext(context.WithoutCancel(t.Context()), &work.Unit{Term: needed}), test.method, test.path)
				if slow {
					req.Body, req.GetBody, req.ContentLength = io.NopCloser(body), nil, -1
				}
				done := make(chan error, 1)
				go func() {
					resp, err := client.Do(req)
					if err == nil {
						_ = resp.Body.Close()
					}
					done <- err
				}()
				synctest.Wait()
				if slow == (w.text() == "") {
					t.Fatalf("sent: %.60q", w.text())
				}
				needed.End(cause.TermTaken, "b")
				before := w.text()
				close(dialled)
				close(body.rest)
				synctest.Wait()
				time.Sleep(time.Second)
				if after := w.text(); after != before {
					t.Errorf("%d bytes left after the term", len(after)-len(before))
				}
				select {
				case err := <-done:
					if !errors.Is(err, cause.LeadershipLost) {
						t.Errorf("the call returned %v", err)
					}
				default:
					t.Error("the call goes on")
					_ = far.Close()
					t.Error(<-done)
				}
			})
		})
	}
}
