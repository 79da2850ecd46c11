// SPDX-License-Identifier: Apache-2.0

package shutdown_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

// phase is a place in which a call can be when its context ends.
type phase struct {
	// config changes what the manager's config is made from.
	config func(*rest.Config)
	// prepare has the calls of items come to the phase, and returns how to wait until n are there.
	prepare func(t testing.TB, proxy *shutdowntest.Proxy) (await func(n int))
	// call is what an item does.
	call func(ctx context.Context, client kubernetes.Interface, cm *corev1.ConfigMap) error
	// unheld reports that the calls are not held by a rule.
	unheld bool
}

func get(ctx context.Context, client kubernetes.Interface, cm *corev1.ConfigMap) error {
	_, err := client.CoreV1().ConfigMaps(cm.Namespace).Get(ctx, cm.Name, metav1.GetOptions{})
	return err
}

func annotate(ctx context.Context, client kubernetes.Interface, cm *corev1.ConfigMap) error {
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"at":"%d"}}}`, time.Now().UnixNano())
	_, err := client.CoreV1().ConfigMaps(cm.Namespace).Patch(ctx, cm.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

// rule is a phase that a rule of the proxy makes.
func rule(match shutdowntest.Match, fault shutdowntest.Fault) func(testing.TB, *shutdowntest.Proxy) func(int) {
	return func(_ testing.TB, proxy *shutdowntest.Proxy) func(int) { return proxy.Add(match, fault).Await }
}

// inFunction has a phase begin only when all calls are in a function, which the proxy cannot see.
func inFunction(function string, prepare func(testing.TB, *shutdowntest.Proxy) func(int)) func(testing.TB, *shutdowntest.Proxy) func(int) {
	return func(t testing.TB, proxy *shutdowntest.Proxy) func(int) {
		await := prepare(t, proxy)
		return func(n int) {
			await(n)
			eventually(t, fmt.Sprintf("%d calls are in %s", n, function), func() bool { return goroutinesIn(function) >= n })
		}
	}
}

// connecting lets no dial return. One call dials for each connection that is needed, and the others wait for it.
func connecting(t testing.TB, proxy *shutdowntest.Proxy) func(int) {
	stalled := proxy.StallDials()
	return func(n int) {
		stalled.Await(1)
		eventually(t, fmt.Sprintf("%d calls wait for a connection", n), func() bool {
			waiting := 0
			for _, call := range proxy.Calls() {
				if call.Verb == gets.Verb && call.Resource == gets.Resource && call.Ended.IsZero() {
					waiting++
				}
			}
			return waiting >= n
		})
	}
}

var (
	gets    = shutdowntest.Match{Verb: "get", Resource: "configmaps"}
	patches = shutdowntest.Match{Verb: "patch", Resource: "configmaps"}
)

func phases() map[string]phase {
	limiter := &stuckLimiter{}
	return map[string]phase{
		"waiting for the rate limiter": {
			config:  func(c *rest.Config) { c.RateLimiter = limiter.reset() },
			prepare: func(t testing.TB, _ *shutdowntest.Proxy) func(int) { return limiter.await(t) },
			call:    get, unheld: true,
		},
		"waiting for a connection": {
			prepare: connecting,
			call:    get, unheld: true,
		},
		"held before the server":         {prepare: rule(patches, shutdowntest.Stall()), call: annotate},
		"in flight, the answer withheld": {prepare: rule(patches, shutdowntest.BlackHole()), call: annotate},
		"the body half read": {
			prepare: inFunction("rest.(*Request).transformResponse(", rule(gets, shutdowntest.HalfBody())),
			call:    get,
		},
		"a watch of the user's": {
			prepare: inFunction("shutdown_test.watchEvents(", rule(shutdowntest.Match{Verb: "watch", Resource: "secrets"}, shutdowntest.Pass())),
			call:    watchSecrets,
		},
		"waiting to retry after a 429": {
			prepare: inFunction("rest.(*NoBackoff).SleepWithContext(", rule(gets, shutdowntest.Answer(http.StatusTooManyRequests, time.Hour))),
			call:    get, unheld: true,
		},
	}
}

// TestC2C7CallsReturnWithTheCauseFromEveryPhase has 1, 50 and 300 items, each in a call.
func TestC2C7CallsReturnWithTheCauseFromEveryPhase(t *testing.T) {
	for name, phase := range phases() {
		for _, n := range []int{1, 50, 300} {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) { testPhase(t, phase, n) })
		}
	}
}

func testPhase(t *testing.T, phase phase, n int) {
	e := newEnv(t, n)
	gate := make(chan struct{})
	run := shutdowntest.Start(t, e.proxy, func(m *controller.Manager) error {
		informer := e.informer(kubernetes.NewForConfigOrDie(m.Config()))
		client := kubernetes.NewForConfigOrDie(m.Config())
		controller.New(m, "c", informer, func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			<-gate
			return controller.Result{}, phase.call(ctx, client, cm)
		}, controller.Options{Workers: n, Timeout: 1000 * time.Hour}) // else the limiter would know better than to wait
		return nil
	}, shutdowntest.Options{Config: phase.config, Manager: unlimited})
	eventually(t, "the controller works", func() bool { return run.Manager().Ready() == nil })
	await := phase.prepare(t, e.proxy)
	close(gate)
	await(n)

	if err := run.End(errDrained); err != nil {
		t.Error(err)
	}
	expect := shutdowntest.Expect{}
	if phase.unheld {
		expect.Cancelled = n
	}
	run.AssertPromise(expect)
	t.Logf("Run returned %v after the end; %d requests in the audit log", run.Took(), e.assertAudit(run))
}

// watchSecrets watches until the watch ends, as user code does.
func watchSecrets(ctx context.Context, client kubernetes.Interface, cm *corev1.ConfigMap) error {
	w, err := client.CoreV1().Secrets(cm.Namespace).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	defer w.Stop()
	return watchEvents(ctx, w.ResultChan())
}

func watchEvents(ctx context.Context, events <-chan watch.Event) error {
	for event := range events {
		if event.Type == watch.Error && ctx.Err() == nil {
			return apierrors.FromObject(event.Object)
		}
	}
	return context.Cause(ctx)
}

// goroutinesIn counts the goroutines that are in a function.
func goroutinesIn(function string) int {
	stacks := make([]byte, 16<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), function)
}

// stuckLimiter is client-go's own limiter, with next to nothing to hand out.
type stuckLimiter struct {
	flowcontrol.RateLimiter
	waiting atomic.Int64
}

func (l *stuckLimiter) reset() flowcontrol.RateLimiter {
	l.waiting.Store(0)
	l.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(1e-4, 1)
	l.RateLimiter.Accept()
	return l
}

func (l *stuckLimiter) Wait(ctx context.Context) error {
	l.waiting.Add(1)
	return l.RateLimiter.Wait(ctx)
}

func (l *stuckLimiter) await(t testing.TB) func(n int) {
	return func(n int) {
		eventually(t, "all calls wait for the limiter", func() bool { return l.waiting.Load() >= int64(n) })
	}
}
