// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/internal/pipeline"
	"github.com/lanyard-k8s/lanyard/controller/internal/written"
)

// informerSource feeds a controller with the events of an informer.
type informerSource[O Object] struct {
	cache    *caches.Cache
	writes   *written.Writes
	synced   func() // is called when the cache has synced; nil for nothing
	informer cache.TypedSharedIndexInformer[O]
	mapping  MapFunc[O] // nil for the objects that the controller reconciles
	filters  []Filter[O]
	all      func() []Request // all objects that the controller reconciles
}

// Name returns the informer's name.
func (s *informerSource[O]) Name() string { return s.cache.Name() }

// Cache returns the informer's cache.
func (s *informerSource[O]) Cache() pipeline.Cache { return s.cache }

// Start adds a handler to the informer.
func (s *informerSource[O]) Start(ctx context.Context, queue *pipeline.Queue) (pipeline.Feed, error) {
	logger := klog.FromContext(ctx)
	handler := &eventHandler[O]{
		ctx: ctx, queue: queue, mapping: s.mapping, filters: s.filters,
		calls: &userCalls{cache: s.cache}, sweep: newSweep(ctx, queue, s.all),
		seen: func(object metav1.Object) { s.writes.Seen(s.cache, object) },
	}
	registration, err := s.informer.AddTypedEventHandler(handler, cache.HandlerOptions{Logger: &logger})
	if err != nil {
		return nil, err
	}
	s.cache.Follow()
	feed := &informerFeed{
		ResourceEventHandlerRegistration: registration, informer: s.cache, writes: s.writes,
		calls: handler.calls, sweep: handler.sweep, endTell: func() {},
	}
	if s.synced != nil {
		feed.tellSynced(ctx, s.synced)
	}
	return feed, nil
}

// informerFeed is the registration of a handler.
type informerFeed struct {
	cache.ResourceEventHandlerRegistration
	informer *caches.Cache
	writes   *written.Writes
	calls    *userCalls
	sweep    *sweep
	endTell  func() // returns when nothing is told any more
}

// tellSynced calls a function when the cache has synced.
func (f *informerFeed) tellSynced(ctx context.Context, synced func()) {
	ctx, cancel := context.WithCancel(ctx)
	var telling sync.WaitGroup
	telling.Go(func() {
		if cache.WaitFor(ctx, "", f.informer.HasSyncedChecker()) {
			synced()
		}
	})
	f.endTell = func() { cancel(); telling.Wait() }
}

// Stalled returns an error if a filter or mapping has been running for longer than a time.
func (f *informerFeed) Stalled(now time.Time, after time.Duration) error {
	return f.calls.Stalled(f.informer.Name(), now, after)
}

// Stop removes the handler and waits until it is not being called.
func (f *informerFeed) Stop() {
	// It fails only for a handler of another informer.
	_ = cache.ShutDownEventHandler(f.informer.SharedIndexInformer, f.ResourceEventHandlerRegistration)
	f.sweep.stop()
	f.endTell()
	if f.informer.Unfollow() {
		f.writes.Left(f.informer)
	}
}
