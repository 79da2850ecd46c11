// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// withTime returns a context that ends by itself; the test ends it earlier.
func withTime(t *testing.T, ctx context.Context, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(ctx, d)
	t.Cleanup(cancel)
	return ctx
}

// detached are ways to detach a context from an item that has ten minutes. Of those whose time is within
// that nothing says, while the item lives, that they are detached.
var detached = map[string]struct {
	of   func(*testing.T, context.Context) context.Context
	told int
}{
	"for ever": {func(_ *testing.T, ctx context.Context) context.Context { return context.WithoutCancel(ctx) }, 1},
	"with another end": {func(t *testing.T, ctx context.Context) context.Context {
		return withTime(t, context.WithoutCancel(ctx), time.Hour)
	}, 1},
	"with less time": {func(t *testing.T, ctx context.Context) context.Context {
		return withTime(t, context.WithoutCancel(ctx), time.Minute)
	}, 0},
	"not at all": {func(t *testing.T, ctx context.Context) context.Context { return withTime(t, ctx, time.Minute) }, 0},
}

// TestC21ACallWithADetachedContextEndsWithTheManager has calls that the API server does not answer, and
// calls that wait for the rate limiter.
func TestC21ACallWithADetachedContextEndsWithTheManager(t *testing.T) {
	for name, test := range detached {
		for where, config := range map[string]*rest.Config{
			"in a call":           {Transport: untilCancelled{}},
			"at the rate limiter": {Transport: apiServer(answering), QPS: 0.05, Burst: 1},
		} {
			for _, drain := range []time.Duration{0, 5 * time.Second} {
				t.Run(name+" "+where+", drain "+drain.String(), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						w := newWorld(t)
						w.add("a")
						m := controller.NewManager(config, controller.ManagerOptions{DrainTimeout: drain, CallTimeouts: controller.CallTimeouts{Read: -1}})
						client := kubernetes.NewForConfigOrDie(m.Config())
						errs := make(chan error, 1)
						controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
							ctx = test.of(t, ctx)
							errs <- errors.Join(getWith(ctx, client), getWith(ctx, client))
							return controller.Result{}, nil
						}, controller.Options{Timeout: 10 * time.Minute})
						r := start(t, t.Context(), m)
						time.Sleep(time.Second)
						end, why := time.Now(), errors.New("enough")
						if err := r.end(why); err != nil || time.Since(end) != drain {
							t.Errorf("Run returned %v after %v", err, time.Since(end))
						}
						if err := <-errs; !errors.Is(err, cause.Shutdown) || !errors.Is(err, why) {
							t.Errorf("the call ended with %v", err)
						}
						if told := toldOrphans(r); len(told) != test.told {
							t.Errorf("told of %v, want %d", told, test.told)
						}
					})
				})
			}
		}
	}
}

// TestC21ADetachedContextIsKnownOnceItsReconcileHasReturned makes a call with a context that has less time than the item had.
func TestC21ADetachedContextIsKnownOnceItsReconcileHasReturned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m, client := deaf()
		contexts, errs := make(chan context.Context, 1), make(chan error, 1)
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			contexts <- withTime(t, context.WithoutCancel(ctx), time.Minute)
			return controller.Result{}, nil
		}, controller.Options{})
		r := start(t, t.Context(), m)
		kept := <-contexts
		synctest.Wait()
		go func() { errs <- getWith(kept, client) }()
		time.Sleep(time.Second)
		if told := toldOrphans(r); len(told) != 1 || !strings.Contains(told[0], "controller=c object.name=a object.namespace=default") {
			t.Errorf("told of %v", told)
		}
		r.stop(nil)
		if err := <-errs; !errors.Is(err, cause.Shutdown) {
			t.Errorf("the call ended with %v", err)
		}
	})
}

// TestC21ARunnableMaySayGoodbyeWithATimeLimitAndNotForEver has a runnable that makes a call after the end.
func TestC21ARunnableMaySayGoodbyeWithATimeLimitAndNotForEver(t *testing.T) {
	for name, limit := range map[string]time.Duration{"with a time limit": time.Minute, "without": 0} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				m := controller.NewManager(&rest.Config{Transport: apiServer(func(*http.Request) (*http.Response, error) { return nil, errAnswered })},
					controller.ManagerOptions{})
				client := kubernetes.NewForConfigOrDie(m.Config())
				var goodbye error
				m.AddRunnable("r", func(ctx context.Context) error {
					<-ctx.Done()
					ctx = context.WithoutCancel(ctx)
					if limit > 0 {
						ctx = withTime(t, ctx, limit)
					}
					goodbye = getWith(ctx, client)
					return nil
				})
				r := start(t, t.Context(), m)
				synctest.Wait()
				if err := r.end(nil); err != nil {
					t.Errorf("Run returned %v", err)
				}
				want, lines := errAnswered, 0
				if limit == 0 {
					want, lines = error(cause.Shutdown), 1
				}
				if told := toldOrphans(r); !errors.Is(goodbye, want) || len(told) != lines {
					t.Errorf("the call returned %v; told of %v", goodbye, told)
				}
			})
		})
	}
}

// TestC21TheClientOfAnotherManagerEndsWithThatOneAndIsNoOrphan has a reconcile of one manager call through
// the client of another, as with several clusters.
func TestC21TheClientOfAnotherManagerEndsWithThatOneAndIsNoOrphan(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		hub, hubClient := deaf()
		spoke, client := deaf()
		errs, orphaned := make(chan error, 1), make(chan error, 1)
		controller.New(hub, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			errs <- getWith(ctx, client)
			orphaned <- getWith(elsewhere(), hubClient)
			return controller.Result{}, nil
		}, controller.Options{})
		other := start(t, t.Context(), spoke)
		synctest.Wait()
		running := start(t, t.Context(), hub)
		synctest.Wait()
		why := errors.New("the other cluster is gone")
		if err := other.end(why); err != nil {
			t.Error(err)
		}
		if err := <-errs; !errors.Is(err, why) || !errors.Is(err, cause.Shutdown) {
			t.Errorf("the call ended with %v", err)
		}
		synctest.Wait()
		if of, others := hub.Orphans(), spoke.Orphans(); len(of) != 1 || len(others) != 0 || len(toldOrphans(running)) != 1 {
			t.Errorf("told of %v, and the other of %v", of, others)
		}
		running.stop(nil)
		if err := <-orphaned; !errors.Is(err, cause.Shutdown) {
			t.Errorf("the orphan ended with %v", err)
		}
	})
}

// TestC21OrphansAreCountedByKind makes several calls of each kind, on few lines.
func TestC21OrphansAreCountedByKind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		reader, telemetry := measured()
		m := controller.NewManager(&rest.Config{Transport: apiServer(func(*http.Request) (*http.Response, error) { return nil, errAnswered })},
			controller.ManagerOptions{Telemetry: telemetry})
		client := kubernetes.NewForConfigOrDie(m.Config())
		contexts := make(chan context.Context, 1)
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			contexts <- ctx
			return controller.Result{}, getWith(ctx, client)
		}, controller.Options{})
		start(t, t.Context(), m)
		kept := <-contexts
		synctest.Wait()
		count := func() map[string]float64 { return values(t, reader, "lanyard.api.orphans") }
		if got := count(); len(got) != 2 || got["outside"] != 0 || got["returned"] != 0 {
			t.Errorf("before the first: %v", got)
		}
		for range 3 {
			_ = getWith(elsewhere(), client)
			_ = getWith(kept, client)
			_ = getWith(kept, client)
		}
		if got := count(); len(got) != 2 || got["outside"] != 3 || got["returned"] != 6 || len(m.Orphans()) != 2 {
			t.Errorf("after nine: %v; lines: %v", got, m.Orphans())
		}
	})
}

// TestC21ACallWithTheContextOfAReconcileThatHasReturnedIsToldOnceForEachLine has contexts that a reconcile
// has left behind: with calls in flight, and with calls that begin later.
func TestC21ACallWithTheContextOfAReconcileThatHasReturnedIsToldOnceForEachLine(t *testing.T) {
	for name, test := range map[string]struct {
		call    func(*testing.T, context.Context, kubernetes.Interface) error
		early   bool // it begins before the reconcile returns
		call1st string
	}{
		"begun before": {func(_ *testing.T, ctx context.Context, c kubernetes.Interface) error { return getWith(ctx, c) }, true, `call="get configmaps default/b"`},
		"begun after":  {func(_ *testing.T, ctx context.Context, c kubernetes.Interface) error { return getWith(ctx, c) }, false, ""},
		"begun after, with a time limit": {func(t *testing.T, ctx context.Context, c kubernetes.Interface) error {
			return getWith(withTime(t, ctx, time.Second), c)
		}, false, ""},
		"a watch": {func(_ *testing.T, ctx context.Context, c kubernetes.Interface) error {
			watch, err := c.CoreV1().ConfigMaps("default").Watch(ctx, metav1.ListOptions{})
			if err == nil {
				for range watch.ResultChan() {
				}
			}
			return cause.Returned
		}, true, `call="watch configmaps in default"`},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.add("a", "z")
				m := controller.NewManager(&rest.Config{Transport: apiServer(neverEnding)}, controller.ManagerOptions{})
				client := kubernetes.NewForConfigOrDie(m.Config())
				errs := make(chan error, 2)
				controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
					go func() {
						if !test.early {
							time.Sleep(2 * time.Second)
						}
						errs <- test.call(t, ctx, client)
					}()
					time.Sleep(time.Second)
					return controller.Result{}, nil
				}, controller.Options{})
				r := start(t, t.Context(), m)
				time.Sleep(10 * time.Second)
				for range 2 {
					if err := <-errs; !errors.Is(err, cause.Returned) {
						t.Errorf("it returned %v", err)
					}
				}
				found := m.Orphans()
				if len(found) != 1 || found[0].Kind != report.OrphanReturned || found[0].Work.Owner != "c" || found[0].Work.Item.Namespace != "default" {
					t.Fatalf("found %v", found)
				}
				var told []string
				for line := range strings.Lines(r.log.String()) {
					if strings.Contains(line, "a reconcile that has returned") {
						told = append(told, line)
					}
				}
				if len(told) != 1 || !strings.Contains(told[0], "_test.go:") || !strings.Contains(told[0], "controller=c object.name=") || !strings.Contains(told[0], test.call1st) {
					t.Errorf("told %v", told)
				}
			})
		})
	}
}

// neverEnding is an API server that answers only watches, with nothing.
func neverEnding(req *http.Request) (*http.Response, error) {
	if req.URL.Query().Get("watch") != "true" {
		return untilCancelled{}.RoundTrip(req)
	}
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Request: req, Body: silence{req.Context()},
	}, nil
}

// silence is a body that ends with its context.
type silence struct{ context.Context }

var _ io.ReadCloser = silence{}

func (s silence) Read([]byte) (int, error) {
	<-s.Done()
	return 0, s.Err()
}

func (s silence) Close() error { return nil }
