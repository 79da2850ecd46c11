// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/internal/race"
)

// itemAllocations is how often an item that does nothing allocates, from its event until it is
// settled: the copy of its object, its unit and its logger. The contexts that end the reconcile are
// made only for those that look at them. bareItemAllocations is the same with bare client-go.
const (
	itemAllocations     = 9
	bareItemAllocations = 2
)

// BenchmarkItem takes one event through queue, worker and context to a reconcile that does nothing,
// in the framework and with bare client-go, as sample-controller has it.
func BenchmarkItem(b *testing.B) {
	for name, run := range items() {
		b.Run(name, func(b *testing.B) {
			once := run(b)
			b.ReportAllocs()
			for b.Loop() {
				once()
			}
		})
	}
}

func TestAllocationsOfAnItemArePinned(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates too")
	}
	for name, limit := range map[string]float64{"lanyard": itemAllocations, "bare": bareItemAllocations} {
		t.Run(name, func(t *testing.T) {
			if got := testing.AllocsPerRun(2000, items()[name](t)); got > limit {
				t.Errorf("an item that does nothing allocates %v times, want at most %v", got, limit)
			}
		})
	}
}

// items returns functions that start something and return what takes one item through it.
func items() map[string]func(testing.TB) func() {
	return map[string]func(testing.TB) func(){"lanyard": frameworkItem, "bare": bareItem}
}

func frameworkItem(tb testing.TB) func() { return itemWith(tb, controller.Telemetry{}) }

// itemWith takes one event through queue, worker and context to a reconcile that does nothing.
func itemWith(tb testing.TB, telemetry controller.Telemetry) func() {
	informer := newStubInformer(tb)
	reconciled := make(chan struct{})
	m := newManager(controller.ManagerOptions{Telemetry: telemetry})
	controller.New(m, "bench", controller.Standalone[*corev1.ConfigMap](informer, controller.InformerOptions{}), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
		reconciled <- struct{}{}
		return controller.Result{}, nil
	}, controller.Options{})
	// A logger as a program has it, which writes nothing of what an idle item has to say.
	logger := logr.FromSlogHandler(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	ctx, cancel := context.WithCancel(klog.NewContext(tb.Context(), logger))
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	handler := <-informer.handlers
	return func() {
		handler.OnAdd(informer.object, false)
		<-reconciled
	}
}

func bareItem(tb testing.TB) func() {
	informer := newStubInformer(tb)
	indexer := informer.GetIndexer()
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[cache.ObjectName]())
	reconciled, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			ref, shutdown := queue.Get()
			if shutdown {
				return
			}
			if _, exists, err := indexer.GetByKey(ref.String()); err != nil || !exists {
				tb.Errorf("%s is not in the cache: %v", ref, err)
			}
			reconciled <- struct{}{}
			queue.Forget(ref)
			queue.Done(ref)
		}
	}()
	tb.Cleanup(func() {
		queue.ShutDown()
		<-done
	})
	return func() {
		ref, err := cache.ObjectToName(informer.object)
		if err != nil {
			tb.Error(err)
		}
		queue.Add(ref)
		<-reconciled
	}
}

// stubInformer has one object, is synced, and leaves it to the benchmark when there are events.
type stubInformer struct {
	cache.TypedSharedIndexInformer[*corev1.ConfigMap]
	object   *corev1.ConfigMap
	handlers chan cache.TypedResourceEventHandler[*corev1.ConfigMap]
}

func newStubInformer(tb testing.TB) *stubInformer {
	shared := cache.NewSharedIndexInformer(&cache.ListWatch{}, &corev1.ConfigMap{}, 0, cache.Indexers{})
	s := &stubInformer{
		TypedSharedIndexInformer: cache.NewTypedSharedIndexInformer[*corev1.ConfigMap](shared),
		object:                   configMap("one"),
		handlers:                 make(chan cache.TypedResourceEventHandler[*corev1.ConfigMap], 1),
	}
	s.object.Data = map[string]string{"key": "value"}
	if err := s.GetIndexer().Add(s.object); err != nil {
		tb.Fatal(err)
	}
	return s
}

func (s *stubInformer) RunWithContext(ctx context.Context) { <-ctx.Done() }

func (s *stubInformer) HasSyncedChecker() cache.DoneChecker { return synced{} }

func (s *stubInformer) AddTypedEventHandler(h cache.TypedResourceEventHandler[*corev1.ConfigMap], _ ...cache.HandlerOptions) (cache.ResourceEventHandlerRegistration, error) {
	s.handlers <- h
	return synced{}, nil
}

type synced struct{}

func (synced) Name() string                        { return "stub" }
func (synced) HasSynced() bool                     { return true }
func (synced) HasSyncedChecker() cache.DoneChecker { return synced{} }

func (synced) Done() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}
