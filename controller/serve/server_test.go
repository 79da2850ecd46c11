// SPDX-License-Identifier: Apache-2.0

package serve_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"go.uber.org/goleak"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/serve"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ serve.Checks = (*controller.Manager)(nil)

type checks struct{ healthy, ready error }

func (c checks) Healthy() error { return c.healthy }
func (c checks) Ready() error   { return c.ready }

func TestProbesAnswerWithTheErrorsOfTheChecks(t *testing.T) {
	for name, c := range map[string]struct {
		checks       checks
		method, path string
		status       int
		body         string
	}{
		"alive":            {checks{ready: errors.New("no")}, "GET", "/healthz", 200, "ok\n"},
		"stuck":            {checks{healthy: errors.New("stuck")}, "GET", "/healthz", 503, "stuck\n"},
		"ready":            {checks{healthy: errors.New("no")}, "GET", "/readyz", 200, "ok\n"},
		"not ready":        {checks{ready: errors.New("0 of 1")}, "GET", "/readyz", 503, "0 of 1\n"},
		"something else":   {checks{}, "GET", "/metrics", 404, "404 page not found\n"},
		"no way to ask it": {checks{}, "POST", "/healthz", 405, "Method Not Allowed\n"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := httptest.NewRecorder()
			request := httptest.NewRequestWithContext(t.Context(), c.method, c.path, http.NoBody)
			serve.Health(c.checks).ServeHTTP(answer, request)
			if answer.Code != c.status || answer.Body.String() != c.body {
				t.Errorf("%d %q", answer.Code, answer.Body)
			}
		})
	}
}

// served is a server on connections in memory.
type served struct {
	log  strings.Builder
	conn net.Conn
	stop context.CancelFunc
	done chan error
}

func start(t *testing.T, handler http.HandlerFunc, change ...func(*serve.Server)) *served {
	t.Helper()
	s := &served{done: make(chan error, 1)}
	var ctx context.Context
	ctx, s.stop = context.WithCancel(klog.NewContext(t.Context(), logr.FromSlogHandler(slog.NewTextHandler(&s.log, nil))))
	l := &listener{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &serve.Server{Name: "test", Address: "memory", Handler: handler}
	for _, f := range change {
		f(server)
	}
	go func() { s.done <- server.Serve(ctx, l) }()
	var theirs net.Conn
	s.conn, theirs = net.Pipe()
	l.conns <- theirs
	t.Cleanup(func() {
		s.stop()
		if err := <-s.done; err != nil {
			t.Errorf("it ended with %v", err)
		}
		_ = s.conn.Close()
	})
	return s
}

func TestAClientThatIsSlowOrSilentIsDisconnected(t *testing.T) {
	for name, c := range map[string]struct {
		sends string
		after time.Duration
	}{
		"a header without an end": {"GET / HTTP/1.1\r\nHost: a\r\n", 5 * time.Second},
		"a body without an end":   {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", 10 * time.Second},
		"no further request":      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
				began := time.Now()
				if _, err := io.WriteString(s.conn, c.sends); err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, s.conn) // until it is closed
				if took := time.Since(began); took < c.after || took > c.after+time.Second {
					t.Errorf("it is disconnected after %v, want %v", took, c.after)
				}
			})
		})
	}
}

func TestAClientThatDoesNotTakeItsAnswerIsDisconnected(t *testing.T) {
	for limit, want := range map[time.Duration]time.Duration{0: 30 * time.Second, 3 * time.Second: 3 * time.Second} {
		t.Run(want.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, failed := time.Now(), make(chan error, 1)
				s := start(t, func(w http.ResponseWriter, _ *http.Request) {
					_, err := w.Write(make([]byte, 64<<10))
					failed <- err
				}, func(s *serve.Server) { s.WriteTimeout = limit })
				if _, err := io.WriteString(s.conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				select {
				case err := <-failed:
					if took := time.Since(began); err == nil || took != want {
						t.Errorf("it ended after %v, want %v: %v", took, want, err)
					}
				case <-time.After(time.Hour):
					t.Error("the answer waits for the client")
					_ = s.conn.Close()
				}
			})
		})
	}
}

func TestTheContextsOfRequestsAreThoseOfTheProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, func(_ http.ResponseWriter, r *http.Request) { klog.FromContext(r.Context()).Info("I was asked") })
		if _, err := io.WriteString(s.conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(s.conn)
		if log := s.log.String(); !strings.Contains(log, "I was asked") {
			t.Errorf("the log is %q", log)
		}
	})
}

func TestAHeaderThatIsTooLargeIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, func(http.ResponseWriter, *http.Request) { t.Error("it is handled") })
		go func() {
			_, _ = fmt.Fprintf(s.conn, "GET / HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", strings.Repeat("x", 64<<10))
		}()
		if answer, _ := io.ReadAll(s.conn); !strings.HasPrefix(string(answer), "HTTP/1.1 431") {
			t.Errorf("the answer is %q", answer)
		}
	})
}

func TestARequestThatIsBeingAnsweredAtTheEndHasATimeToBe(t *testing.T) {
	for name, c := range map[string]struct {
		takes  time.Duration
		answer string
	}{
		"enough":     {100 * time.Millisecond, "HTTP/1.1 200"},
		"not enough": {time.Second, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := make(chan struct{})
				s := start(t, func(w http.ResponseWriter, _ *http.Request) {
					close(began)
					time.Sleep(c.takes)
					_, _ = io.WriteString(w, "done")
				})
				if _, err := io.WriteString(s.conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				<-began
				s.stop()
				answer, _ := io.ReadAll(s.conn)
				if got := string(answer); c.answer == "" && got != "" || !strings.HasPrefix(got, c.answer) {
					t.Errorf("the answer is %q", got)
				}
				time.Sleep(time.Second) // for the handler to return
			})
		})
	}
}

func TestAPanicOfAHandlerIsALineOfTheProgramsLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, func(http.ResponseWriter, *http.Request) { panic("broken") })
		if _, err := io.WriteString(s.conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(s.conn)
		synctest.Wait()
		if log := s.log.String(); !strings.Contains(log, "panic serving") || !strings.Contains(log, "server=test") {
			t.Errorf("the log is %q", log)
		}
	})
}

func TestAnAddressThatCannotBeHadIsAnErrorWithTheRemedy(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := &serve.Server{Name: "pages", Address: taken.Addr().String(), Handler: http.NotFoundHandler(), Remedy: "use another"}
	err = s.Run(t.Context())
	for _, text := range []string{"serve pages on " + s.Address, "in use", "(use another)"} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("the error is %v, want %q", err, text)
		}
	}
}

func TestAServerWithoutAHandlerIsAnErrorAndServesNothing(t *testing.T) {
	err := (&serve.Server{Name: "pages", Address: "127.0.0.1:0"}).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "serve pages on 127.0.0.1:0: set Server.Handler") {
		t.Errorf("the error is %v", err)
	}
}

func TestMetricsAreAtTheirPathOnly(t *testing.T) {
	handler := serve.Metrics(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "up 1") }))
	for path, status := range map[string]int{"/metrics": 200, "/": 404} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
		if answer.Code != status {
			t.Errorf("%s is %d", path, answer.Code)
		}
	}
}

// listener has the connections that are put into it.
type listener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }
