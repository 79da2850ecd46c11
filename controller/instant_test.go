// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// contexts is the contexts that user code has received, by what they were for.
type contexts struct {
	mu   sync.Mutex
	kept map[string]context.Context
}

func (c *contexts) keep(ctx context.Context, kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[string]context.Context{}
	}
	if c.kept[kind] == nil {
		c.kept[kind] = ctx
	}
}

// kinds returns what the contexts were for.
func (c *contexts) kinds() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.kept))
}

// TestC3EveryKindOfContextEndsInTheSameInstant ends a manager that has one of each. Items have an hour to
// finish, which CancelDrain has taken away before.
func TestC3EveryKindOfContextEndsInTheSameInstant(t *testing.T) {
	for name, drain := range map[string]time.Duration{"cancel": 0, "drain that was cancelled before": time.Hour} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) { testSameInstant(t, drain) })
		})
	}
}

func testSameInstant(t *testing.T, drain time.Duration) {
	all, why := &contexts{}, errors.New("enough")
	w := newWorld(t)
	w.onList = func(ctx context.Context) error { all.keep(ctx, "list and watch"); return nil }
	w.add("a")
	m := managerOf(&rest.Config{Transport: apiServer(func(req *http.Request) (*http.Response, error) {
		all.keep(req.Context(), "call "+req.Method)
		return untilCancelled{}.RoundTrip(req)
	})}, controller.ManagerOptions{LeaderElection: elect(&leaseAPI{}, "a"), DrainTimeout: drain, ShutdownTimeout: 2 * time.Hour})
	client := kubernetes.NewForConfigOrDie(m.Config())
	reconcile := func(kind string) controller.ReconcileFunc[*corev1.ConfigMap] {
		return func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			reserve, stopReserve := controller.ReserveContext(ctx)
			defer stopReserve()
			external, stopExternal := controller.ExternalContext(ctx)
			defer stopExternal()
			all.keep(ctx, kind)
			all.keep(reserve, "reserve of "+kind)
			all.keep(external, "external call of "+kind)
			_ = getWith(external, client)
			late, stopLate := controller.ReserveContext(ctx)
			defer stopLate()
			if !errors.Is(context.Cause(late), cause.Shutdown) {
				t.Errorf("a reserve that was made after the end is alive, or ended with %v", context.Cause(late))
			}
			return controller.Result{}, nil
		}
	}
	waiting := func(kind string) func(context.Context) error {
		return func(ctx context.Context) error { all.keep(ctx, kind); <-ctx.Done(); return nil }
	}
	times := controller.Options{Timeout: 5 * time.Hour}
	controller.New(m, "leading", w.informer(), reconcile("item of a term"), times)
	times.EveryReplica = true
	controller.New(m, "everywhere", w.informer(), reconcile("item"), times)
	m.AddRunnable("r", waiting("runnable"))
	m.AddLeaderRunnable("l", waiting("runnable of a term"))
	r := start(t, t.Context(), m)
	time.Sleep(20 * time.Second)
	m.CancelDrain()
	checkEnds(t, all, func() {
		if err := r.end(why); err != nil {
			t.Errorf("Run returned %v", err)
		}
	}, why)
}

// checkEnds checks that all contexts end in the instant of the end, and why.
func checkEnds(t *testing.T, all *contexts, end func(), why error) {
	want := []string{
		"call GET", "external call of item", "external call of item of a term", "item", "item of a term", "list and watch",
		"reserve of item", "reserve of item of a term", "runnable", "runnable of a term",
	}
	if got := all.kinds(); !slices.Equal(got, want) {
		t.Fatalf("there are contexts for %q", got)
	}
	var mu sync.Mutex
	ended := map[string]time.Time{}
	for kind, ctx := range all.kept {
		context.AfterFunc(ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			ended[kind] = time.Now()
			if why := context.Cause(ctx); !errors.Is(why, cause.Shutdown) {
				t.Errorf("%s ended because of %v", kind, why)
			}
		})
	}
	at := time.Now()
	end()
	synctest.Wait()
	for kind, ctx := range all.kept {
		if !ended[kind].Equal(at) || !errors.Is(context.Cause(ctx), why) {
			t.Errorf("%s ended %v after the end, because of %v", kind, ended[kind].Sub(at), context.Cause(ctx))
		}
	}
}
