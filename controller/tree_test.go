// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

type rootKey struct{}

// sightings collects where the root's value was, and was not, seen.
type sightings struct {
	mu       sync.Mutex
	seen     []string
	blind    []string
	deadline time.Time
}

func (s *sightings) look(ctx context.Context, where string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	deadline, ok := ctx.Deadline()
	if ctx.Value(rootKey{}) == "root" && ok && !deadline.After(s.deadline) { // an item has one of its own
		if !slices.Contains(s.seen, where) {
			s.seen = append(s.seen, where)
		}
	} else {
		s.blind = append(s.blind, where)
	}
}

// apiServer answers requests in memory.
type apiServer func(*http.Request) (*http.Response, error)

func (f apiServer) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestC1ValuesAndDeadlineOfTheRootAreSeenWhereverUserCodeHasAContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := &sightings{deadline: time.Now().Add(time.Hour)}
		root, cancel := context.WithDeadline(context.WithValue(t.Context(), rootKey{}, "root"), s.deadline)
		defer cancel()
		w := newWorld(t)
		w.onList = func(ctx context.Context) error { s.look(ctx, "list and watch"); return nil }
		w.add("a")
		m := managerOf(&rest.Config{Host: "http://unused.invalid", Transport: apiServer(func(req *http.Request) (*http.Response, error) {
			s.look(req.Context(), "API call")
			return nil, errors.New("not today")
		})}, controller.ManagerOptions{})
		client := kubernetes.NewForConfigOrDie(m.Config())
		informer := w.informer()
		c := controller.New(m, "c", informer, func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			s.look(ctx, "reconcile")
			_, _ = client.CoreV1().ConfigMaps("default").Get(ctx, "a", metav1.GetOptions{})
			return controller.Result{}, nil
		}, controller.Options{OnDeleted: func(ctx context.Context, _ controller.Request) (controller.Result, error) {
			s.look(ctx, "deleted")
			return controller.Result{}, nil
		}},
			controller.WithFilter(func(ctx context.Context, _ controller.Event[*corev1.ConfigMap]) bool {
				s.look(ctx, "filter")
				return true
			}))
		controller.Watches(c, informer, func(ctx context.Context, _ *corev1.ConfigMap) []controller.Request {
			s.look(ctx, "mapping")
			return nil
		})
		m.AddRunnable("r", func(ctx context.Context) error { s.look(ctx, "runnable"); <-ctx.Done(); return nil })
		start(t, root, m)
		synctest.Wait()
		w.Delete(configMap("a"))
		synctest.Wait()

		s.mu.Lock()
		defer s.mu.Unlock()
		slices.Sort(s.seen)
		want := []string{"API call", "deleted", "filter", "list and watch", "mapping", "reconcile", "runnable"}
		if !slices.Equal(s.seen, want) || len(s.blind) > 0 {
			t.Errorf("the root was seen in %v, want %v; not seen in %v", s.seen, want, s.blind)
		}
	})
}

func TestC2TheEndHasItsCauseOnTheContextAndOnTheErrorOfACall(t *testing.T) {
	why := errors.New("the operator pressed a button")
	// Where a call can be when its context ends, and what net/http and client-go make of it there.
	phases := map[string]apiServer{
		"in flight": func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		},
		"reading the body": func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
				Body: stalled{req.Context()}}, nil
		},
		"connection reset": func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, io.ErrUnexpectedEOF
		},
	}
	for name, server := range phases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) { testCause(t, &rest.Config{Transport: server}, why) })
		})
	}
	t.Run("waiting for the rate limiter", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			testCause(t, &rest.Config{QPS: 0.01, Burst: 1, Transport: phases["in flight"]}, why)
		})
	})
}

func testCause(t *testing.T, config *rest.Config, why error) {
	w := newWorld(t)
	w.add("a", "b")
	config.Host = "http://unused.invalid"
	m := managerOf(config, controller.ManagerOptions{})
	client := kubernetes.NewForConfigOrDie(m.Config())
	var mu sync.Mutex
	var errs []error
	controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
		_, err := client.CoreV1().ConfigMaps("default").Get(ctx, "x", metav1.GetOptions{})
		mu.Lock()
		defer mu.Unlock()
		errs = append(errs, err, context.Cause(ctx))
		return controller.Result{}, err
	}, controller.Options{Workers: 2})
	r := start(t, t.Context(), m)
	synctest.Wait()
	if err := r.end(why); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if len(errs) != 4 {
		t.Fatalf("%d errors, want 4", len(errs))
	}
	for _, err := range errs {
		for _, target := range []error{cause.Shutdown, why, context.Canceled} {
			if !errors.Is(err, target) {
				t.Errorf("%v (%T) is not %q", err, err, target)
			}
		}
	}
}

// stalled is a body that never comes.
type stalled struct{ ctx context.Context }

func (s stalled) Read([]byte) (int, error) { <-s.ctx.Done(); return 0, s.ctx.Err() }
func (stalled) Close() error               { return nil }

func TestC2AFailingRunnableIsTheCauseEverywhereAndRunsError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		broken := errors.New("the disk is full")
		w := newWorld(t)
		w.add("a")
		m := newManager(controller.ManagerOptions{})
		var got error
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			<-ctx.Done()
			got = context.Cause(ctx)
			return controller.Result{}, got
		}, controller.Options{})
		m.AddRunnable("logs", func(ctx context.Context) error { time.Sleep(time.Minute); return broken })
		r := start(t, t.Context(), m)
		<-r.done
		if !errors.Is(r.err, broken) || !errors.Is(got, cause.ComponentFailed) || !errors.Is(got, broken) || !errors.Is(got, context.Canceled) {
			t.Errorf("Run returned %v, the reconcile's cause was %v", r.err, got)
		}
	})
}

func TestC3EveryGroupEndsInTheInstantInWhichTheRootDoes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		m := newManager(controller.ManagerOptions{})
		var mu sync.Mutex
		ended := map[string]time.Time{}
		note := func(who string) {
			mu.Lock()
			defer mu.Unlock()
			ended[who] = time.Now()
		}
		var informerCtx context.Context
		w.onList = func(ctx context.Context) error { informerCtx = ctx; return nil }
		controller.New(m, "c", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			<-ctx.Done()
			note("reconcile")
			time.Sleep(3 * time.Second) // slow to clean up: no reason for others to wait
			return controller.Result{}, ctx.Err()
		}, controller.Options{})
		for _, name := range []string{"first", "second"} {
			m.AddRunnable(name, func(ctx context.Context) error {
				<-ctx.Done()
				note(name)
				time.Sleep(2 * time.Second)
				return nil
			})
		}
		r := start(t, t.Context(), m)
		synctest.Wait()
		context.AfterFunc(informerCtx, func() { note("informer") })
		time.Sleep(time.Minute)
		end := time.Now()
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		for _, who := range []string{"reconcile", "informer", "first", "second"} {
			if !ended[who].Equal(end) {
				t.Errorf("%s ended %v after the root", who, ended[who].Sub(end))
			}
		}
	})
}
