// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
	"github.com/lanyard-k8s/lanyard/controller/internal/pipeline"
)

// Source feeds a controller: the informer of [Owns] or [Watches], or the function of
// [Controller.AddSource]. All methods are safe for concurrent use.
type Source struct {
	informer *sourceInformer // nil for others
	once     sync.Once
	stop     func() // nil after a mistake
}

// sourceInformer is the informer of a source.
type sourceInformer struct{ cache *caches.Cache }

// Stop removes the source from its controller, and returns when the source does not feed it any
// more. An informer that nothing else uses ends. What is in the controller's queue stays there. Stop
// must not be called from a filter, a mapping or a function of the source itself.
func (s *Source) Stop() {
	s.once.Do(func() {
		if s.stop != nil {
			s.stop()
		}
	})
}

// WaitForSync waits until the cache of the source's informer has synced, or ctx ends; then the error
// is the cause. Use it for a source of a controller that runs already: the controller does not wait
// for the cache, and its lister finds nothing before.
func (s *Source) WaitForSync(ctx context.Context) error {
	if s.informer == nil || cache.WaitFor(ctx, "", s.informer.cache.HasSyncedChecker()) {
		return nil
	}
	return fmt.Errorf("wait for the cache: %w: %w", context.Cause(ctx), s.informer.cache.SyncError())
}

// addSource adds an informer as a source. Without a mapping it feeds the objects to reconcile. After
// a mistake the Source has no informer.
func addSource[T, O Object](
	c *Controller[T], informer cache.TypedSharedIndexInformer[O], mapping MapFunc[O], settings sourceSettings[O],
) *Source {
	if c.pipeline == nil {
		return &Source{} // New has told of a mistake
	}
	if informer == nil {
		c.manager.setup.mistake(fmt.Errorf("controller %q: its informer for %T is nil", c.name, *new(O)))
		return &Source{}
	}
	if annotations := c.manager.observers.annotations; annotations != nil {
		settings.filters = append(
			slices.Clone(settings.filters), notOnlyTraced[O](annotations.OnlyTraceChanged))
	}
	if each, ok := informer.(*namespacedInformer[O]); ok {
		return addNamespaced(c, each, mapping, settings)
	}
	return attach(c, informer, mapping, settings)
}

// attach adds one informer as a source.
func attach[T, O Object](
	c *Controller[T], informer cache.TypedSharedIndexInformer[O], mapping MapFunc[O], settings sourceSettings[O],
) *Source {
	m := c.manager
	feeding := &informerSource[O]{
		informer: informer, mapping: mapping, filters: settings.filters, all: c.objects.requests,
	}
	source := &Source{}
	var objects cache.Indexer
	if _, ok := any(informer).(cache.TypedSharedIndexInformer[T]); ok {
		objects = informer.GetIndexer() // it may hold objects that the controller reconciles
	}
	m.setup.add(func(run *lifecycle.Run) (err error) {
		options := optionsOf(informer)
		if feeding.cache, err = m.informers.use(informer, options, options != nil, run); err != nil {
			return fmt.Errorf("controller %q: %w", c.name, err)
		}
		c.objects.add(objects)
		if err := c.pipeline.AddSource(feeding); err != nil {
			c.objects.remove(objects)
			m.informers.release(feeding.cache)
			return err
		}
		source.informer = &sourceInformer{feeding.cache}
		source.stop = func() {
			c.pipeline.RemoveSource(feeding)
			c.objects.remove(objects)
			m.informers.release(feeding.cache)
		}
		return nil
	})
	c.keep(source)
	return source
}

// notOnlyTraced drops updates that change nothing but the annotation that carries traces.
func notOnlyTraced[O Object](onlyTraceChanged func(before, after metav1.Object) bool) Filter[O] {
	return func(_ context.Context, event Event[O]) bool {
		return event.Type != Updated || !onlyTraceChanged(event.Old, event.New)
	}
}

// informerSource feeds a controller with the events of an informer.
type informerSource[O Object] struct {
	cache    *caches.Cache
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
	}
	registration, err := s.informer.AddTypedEventHandler(handler, cache.HandlerOptions{Logger: &logger})
	if err != nil {
		return nil, err
	}
	return &informerFeed{registration, s.cache, handler.calls, handler.sweep}, nil
}

// informerFeed is the registration of a handler.
type informerFeed struct {
	cache.ResourceEventHandlerRegistration
	informer *caches.Cache
	calls    *userCalls
	sweep    *sweep
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
}
