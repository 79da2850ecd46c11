// SPDX-License-Identifier: Apache-2.0

package ownwrites_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/wire"
)

var seed = flag.Uint64("seed", 0, "of the random lag of watches; default: another one each time")

// randomly returns lags below a time.
func randomly(t *testing.T, below time.Duration) func() time.Duration {
	chosen := *seed
	if chosen == 0 {
		chosen = rand.Uint64()
	}
	t.Logf("-seed %d", chosen)
	random := rand.New(rand.NewPCG(chosen, 0)) //nolint:gosec // a lag is no secret
	var mu sync.Mutex
	return func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(random.Int64N(int64(below)))
	}
}

// TestC19AThousandReconcilesBehindAWatchThatLagsMakeNoSecondChild: 250 parents are reconciled until each has
// four children, which are made one after another.
func TestC19AThousandReconcilesBehindAWatchThatLagsMakeNoSecondChild(t *testing.T) {
	const parents, children = 250, 4
	took := map[bool]time.Duration{}
	for _, late := range []bool{false, true} {
		w := &wire.Wire{}
		if late {
			w.Lag = randomly(t, 2*time.Second)
		}
		f := newFamily(t, w, children, controller.Options{Workers: 4})
		names := numbered("p", parents)
		f.create(t, names, asParents())
		began := time.Now()
		f.start(t)
		f.grow(t, names)
		took[late] = time.Since(began)
		f.each(t, names, children)
	}
	t.Logf("%d reconciles that write took %v without a lag, and %v with one of up to 2 s, %d rounds in turn: %.2f of the throughput",
		parents*children, took[false].Round(time.Millisecond), took[true].Round(time.Millisecond), children,
		took[false].Seconds()/took[true].Seconds())
}

// holding makes a family in which no watch gives anything from the first child on, and waits until each parent
// has made its child.
func holding(t *testing.T, w *wire.Wire, parents, others []string) (f *family, release func()) {
	t.Helper()
	f = newFamily(t, w, 1, controller.Options{Workers: 1})
	hold := sync.OnceValue(w.Hold)
	f.creating = func() { hold() }
	f.create(t, others, nil)
	f.create(t, parents, asParents())
	return f, func() { hold()() }
}

// TestC19AnItemThatWaitsForItsCacheOccupiesNoWorker: there is one worker, and it goes on to what does not have
// to wait.
func TestC19AnItemThatWaitsForItsCacheOccupiesNoWorker(t *testing.T) {
	parents, others := numbered("p", 50), numbered("o", 50)
	f, release := holding(t, &wire.Wire{}, parents, others)
	f.start(t)
	f.reconciled(t, parents, 1)
	f.reconciled(t, others, 1)
	f.enqueue(t, parents)
	f.enqueue(t, others) // the queue keeps the order
	f.reconciled(t, others, 2)
	for name, n := range f.counts() {
		if strings.HasPrefix(name, "p") && n != 1 {
			t.Errorf("%s did not wait: it was reconciled %d times", name, n)
		}
	}
	release()
	f.reconciled(t, parents, 2)
	f.each(t, parents, 1)
}

// TestC19AManagerEndsAtOnceWhileItemsWaitForTheirCaches, and while what became of a write is looked up, and the
// API server does not answer.
func TestC19AManagerEndsAtOnceWhileItemsWaitForTheirCaches(t *testing.T) {
	parents, others := numbered("p", 20), numbered("o", 1)
	lookup := make(chan context.Context, 1)
	var cuts atomic.Int32
	w := &wire.Wire{
		Cut: func(req *http.Request) bool {
			return req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/secrets") && cuts.Add(1) == 1
		},
		Refuse: func(req *http.Request) bool {
			if !strings.Contains(req.Header.Get("Accept"), "as=PartialObjectMetadataList") {
				return false
			}
			lookup <- req.Context()
			<-req.Context().Done()
			return true
		},
	}
	f, release := holding(t, w, parents, others)
	defer release()
	ctx, end := context.WithCancelCause(klog.NewContext(t.Context(), logr.Discard()))
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	looking := <-lookup // the one worker waits for it
	why := errors.New("the test ends")
	end(why)
	if err := <-done; err != nil {
		t.Errorf("Run returned %v", err)
	}
	if err := context.Cause(looking); !errors.Is(err, why) || !errors.Is(err, cause.Shutdown) {
		t.Errorf("the look-up ended because of %v", err)
	}
}

// TestC19ItemsThatWaitForTheirCachesAreNotReconciledAtTheEnd: the end does not wait for them either.
func TestC19ItemsThatWaitForTheirCachesAreNotReconciledAtTheEnd(t *testing.T) {
	parents, others := numbered("p", 20), numbered("o", 20)
	f, release := holding(t, &wire.Wire{}, parents, others)
	defer release()
	_, stop := suite.Start(t, f.Manager)
	f.reconciled(t, parents, 1)
	f.reconciled(t, others, 1)
	f.enqueue(t, parents)
	f.enqueue(t, others)
	f.reconciled(t, others, 2)
	if err := stop(); err != nil {
		t.Errorf("Run returned %v", err)
	}
	for name, n := range f.counts() {
		if strings.HasPrefix(name, "p") && n != 1 {
			t.Errorf("%s was reconciled %d times", name, n)
		}
	}
}
