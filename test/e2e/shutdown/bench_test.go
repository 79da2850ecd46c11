// SPDX-License-Identifier: Apache-2.0

package shutdown_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

// BenchmarkCancelToReturn measures the time from the end of the root to the return of each outstanding
// call, in the framework and with bare client-go: the same calls, with the same config, through the same
// proxy, by turns. p50 and p99 are of all calls of a run, in microseconds; the ratios are the framework's
// over client-go's.
func BenchmarkCancelToReturn(b *testing.B) {
	for _, n := range []int{1, 50, 99} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e := newEnv(b, n)
			held := e.proxy.Add(gets, shutdowntest.Stall())
			var framework, bare []time.Duration
			measure := []func(){
				func() { framework = append(framework, e.cancelFramework(held, n)...) },
				func() { bare = append(bare, e.cancelBare(held, n)...) },
			}
			for i := range b.N {
				measure[i%2]()
				measure[(i+1)%2]()
			}
			report(b, framework, bare)
		})
	}
}

func report(b *testing.B, framework, bare []time.Duration) {
	for _, p := range []int{50, 99} {
		ours, theirs := percentile(framework, p), percentile(bare, p)
		b.ReportMetric(float64(ours.Microseconds()), fmt.Sprintf("p%d-lanyard-µs", p))
		b.ReportMetric(float64(theirs.Microseconds()), fmt.Sprintf("p%d-client-go-µs", p))
		b.ReportMetric(float64(ours)/float64(theirs), fmt.Sprintf("p%d-ratio", p))
	}
	b.ReportMetric(0, "ns/op") // is that of setting up
}

func percentile(of []time.Duration, p int) time.Duration {
	slices.Sort(of)
	return of[(len(of)-1)*p/100]
}

// returns collects when calls return.
type returns struct {
	mu sync.Mutex
	at []time.Time
}

func (r *returns) note() {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = append(r.at, now)
}

func (r *returns) since(b testing.TB, end time.Time, n int) (took []time.Duration) {
	if len(r.at) != n {
		b.Fatalf("%d of %d calls returned", len(r.at), n)
	}
	for _, at := range r.at {
		took = append(took, at.Sub(end))
	}
	return took
}

func (e *env) cancelFramework(held *shutdowntest.Rule, n int) []time.Duration {
	var calls returns
	m := controller.NewManager(e.proxy.Config(), unlimited)
	client := kubernetes.NewForConfigOrDie(m.Config())
	controller.New(m, "c", e.informer(client), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		err := get(ctx, client, cm)
		calls.note()
		return controller.Result{}, err
	}, controller.Options{Workers: n})
	ctx, cancel := context.WithCancelCause(quiet(e.Context()))
	done := make(chan error)
	go func() { done <- m.Run(ctx) }()
	held.Await(n)
	end := time.Now()
	cancel(errDrained)
	if err := <-done; err != nil {
		e.Fatal(err)
	}
	e.settle(held)
	return calls.since(e, end, n)
}

func (e *env) cancelBare(held *shutdowntest.Rule, n int) []time.Duration {
	var calls returns
	client := kubernetes.NewForConfigOrDie(e.proxy.Config())
	ctx, cancel := context.WithCancelCause(e.Context())
	var done sync.WaitGroup
	for i := range n {
		cm := &corev1.ConfigMap{}
		cm.Namespace, cm.Name = e.namespace, fmt.Sprintf("cm-%03d", i)
		done.Go(func() {
			_ = get(ctx, client, cm) // ends with ctx
			calls.note()
		})
	}
	held.Await(n)
	end := time.Now()
	cancel(errDrained)
	done.Wait()
	e.settle(held)
	return calls.since(e, end, n)
}

// settle waits until the proxy has taken note of the end of the calls, so that the next turn is not
// measured together with what this one left to do.
func (e *env) settle(held *shutdowntest.Rule) {
	eventually(e, "the proxy holds nothing", func() bool { return held.Outstanding() == 0 })
}
