// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"

	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/internal/pipeline"
)

// informerSource feeds a controller with the events of an informer.
type informerSource[O Object] struct {
	cache    *caches.Cache
	informer cache.TypedSharedIndexInformer[O]
	mapping  MapFunc[O] // nil for the objects that the controller reconciles
	filters  []Filter[O]
}

// Name returns the informer's name.
func (s *informerSource[O]) Name() string { return s.cache.Name() }

// Cache returns the informer's cache.
func (s *informerSource[O]) Cache() pipeline.Cache { return s.cache }

// Start adds a handler to the informer.
func (s *informerSource[O]) Start(ctx context.Context, queue *pipeline.Queue) (pipeline.Feed, error) {
	logger := klog.FromContext(ctx)
	handler := &eventHandler[O]{ctx: ctx, queue: queue, mapping: s.mapping, filters: s.filters}
	registration, err := s.informer.AddTypedEventHandler(handler, cache.HandlerOptions{Logger: &logger})
	if err != nil {
		return nil, err
	}
	return &informerFeed{ResourceEventHandlerRegistration: registration, informer: s.cache}, nil
}

// informerFeed is the registration of a handler.
type informerFeed struct {
	cache.ResourceEventHandlerRegistration
	informer *caches.Cache
}

// Stop removes the handler and waits until it is not being called.
func (f *informerFeed) Stop() {
	// It fails only for a handler of another informer.
	_ = cache.ShutDownEventHandler(f.informer.SharedIndexInformer, f.ResourceEventHandlerRegistration)
}
