// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"sync"

	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
)

// InNamespaces returns an informer for a set of namespaces, for [New], [Owns] and [Watches]. make
// makes the informer for one namespace, without a factory; it is called again when a namespace comes
// back. options say what the caches keep.
//
//	namespaces := controller.NewNamespaces("blue", "green")
//	pods := controller.InNamespaces(namespaces, controller.InformerOptions{},
//		func(namespace string) cache.TypedSharedIndexInformer[*corev1.Pod] {
//			return coreinformers.NewTypedPodInformer(client, namespace, 0, nil)
//		})
//
// A lister reads all of them: corev1listers.NewPodLister(pods.GetIndexer()). Event handlers cannot be
// added to the informer itself, and it cannot be run.
func InNamespaces[O Object](
	namespaces *Namespaces, options InformerOptions,
	make func(namespace string) cache.TypedSharedIndexInformer[O],
) cache.TypedSharedIndexInformer[O] {
	// What the manager does not use answers like an informer that does not run.
	never := cache.NewSharedIndexInformer(&cache.ListWatch{}, nil, 0, cache.Indexers{})
	each := &namespacedInformer[O]{
		TypedSharedIndexInformer: cache.NewTypedSharedIndexInformer[O](never),
		namespaces:               namespaces, make: make, options: options,
		byNamespace: map[string]cache.TypedSharedIndexInformer[O]{},
	}
	namespaces.subscribe(each)
	return each
}

// namespacedInformer is an informer for each namespace of a set. Namespaces.mu guards changes of its
// maps.
type namespacedInformer[O Object] struct {
	cache.TypedSharedIndexInformer[O]
	namespaces *Namespaces
	make       func(namespace string) cache.TypedSharedIndexInformer[O]
	options    InformerOptions

	mu          sync.RWMutex // for readers of byNamespace
	byNamespace map[string]cache.TypedSharedIndexInformer[O]
}

// informerOptions returns what the caches of all namespaces keep.
func (i *namespacedInformer[O]) informerOptions() *InformerOptions { return &i.options }

// set makes or forgets the informer of a namespace. It comes before the sources that use it.
func (i *namespacedInformer[O]) set(namespace string, member bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if member {
		i.byNamespace[namespace] = Standalone[O](i.make(namespace), i.options)
	} else {
		delete(i.byNamespace, namespace)
	}
}

func (i *namespacedInformer[O]) of(namespace string) cache.TypedSharedIndexInformer[O] {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.byNamespace[namespace]
}

// GetIndexer returns an indexer that reads the caches of all namespaces.
func (i *namespacedInformer[O]) GetIndexer() cache.Indexer { return i.union() }

// GetStore returns the same as GetIndexer.
func (i *namespacedInformer[O]) GetStore() cache.Store { return i.union() }

// GetTypedIndexer returns the same as GetIndexer, with types.
func (i *namespacedInformer[O]) GetTypedIndexer() cache.TypedIndexer[O] {
	return cache.NewTypedSharedIndexInformer[O](indexed{i.TypedSharedIndexInformer, i.union()}).GetTypedIndexer()
}

// indexed is an informer with another indexer.
type indexed struct {
	cache.SharedIndexInformer
	indexer cache.Indexer
}

// GetIndexer returns the other indexer.
func (i indexed) GetIndexer() cache.Indexer { return i.indexer }

func (i *namespacedInformer[O]) union() *caches.Union {
	return caches.NewUnion(i.TypedSharedIndexInformer.GetIndexer(), i.indexerOf, i.indexers)
}

// indexerOf returns the cache of a namespace, or nil.
func (i *namespacedInformer[O]) indexerOf(namespace string) cache.Indexer {
	if one := i.of(namespace); one != nil {
		return one.GetIndexer()
	}
	return nil
}

func (i *namespacedInformer[O]) indexers() (all []cache.Indexer) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	for _, informer := range i.byNamespace {
		all = append(all, informer.GetIndexer())
	}
	return all
}

// HasSynced reports whether the caches of all namespaces have synced.
func (i *namespacedInformer[O]) HasSynced() bool {
	i.mu.RLock()
	defer i.mu.RUnlock()
	for _, informer := range i.byNamespace {
		if !informer.HasSynced() {
			return false
		}
	}
	return true
}

// checkers returns what tells that the cache of each namespace has synced.
func (i *namespacedInformer[O]) checkers() (all []cache.DoneChecker) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	for _, informer := range i.byNamespace {
		all = append(all, informer.HasSyncedChecker())
	}
	return all
}

// syncedIn reports whether the cache of a namespace has synced, or there is none.
func (i *namespacedInformer[O]) syncedIn(namespace string) bool {
	one := i.of(namespace)
	if one == nil {
		return !i.namespaces.has(namespace)
	}
	return cache.IsDone(one.HasSyncedChecker())
}

func noHandlers() error {
	return errors.New("an informer of controller.InNamespaces has no event handlers of its own: " +
		"pass it to controller.New, Owns or Watches")
}

// AddTypedEventHandler returns an error.
func (i *namespacedInformer[O]) AddTypedEventHandler(
	cache.TypedResourceEventHandler[O], ...cache.HandlerOptions,
) (cache.ResourceEventHandlerRegistration, error) {
	return nil, noHandlers()
}

// AddEventHandlerWithOptions returns an error.
func (i *namespacedInformer[O]) AddEventHandlerWithOptions(
	cache.ResourceEventHandler, cache.HandlerOptions,
) (cache.ResourceEventHandlerRegistration, error) {
	return nil, noHandlers()
}

// AddEventHandler returns an error.
func (i *namespacedInformer[O]) AddEventHandler(
	cache.ResourceEventHandler,
) (cache.ResourceEventHandlerRegistration, error) {
	return nil, noHandlers()
}

// each calls use for the informer of each namespace, and what use returned when the namespace is gone.
// stop ends that for all.
func (i *namespacedInformer[O]) each(
	use func(namespace string, one cache.TypedSharedIndexInformer[O]) (stop func()),
) (stop func()) {
	each := &namespacedUse[O]{informer: i, use: use, stops: map[string]func(){}}
	i.namespaces.subscribe(each)
	return func() { i.namespaces.unsubscribe(each) }
}

// eachUntyped is each for those who do not know the type of the objects.
func (i *namespacedInformer[O]) eachUntyped(use func(cache.SharedIndexInformer) (stop func())) (stop func()) {
	return i.each(func(_ string, one cache.TypedSharedIndexInformer[O]) func() { return use(one) })
}

// namespacedUse is a use of the informer of each namespace.
type namespacedUse[O Object] struct {
	informer *namespacedInformer[O]
	use      func(namespace string, one cache.TypedSharedIndexInformer[O]) (stop func())
	stops    map[string]func()
}

// set begins or ends the use of the informer of a namespace.
func (u *namespacedUse[O]) set(namespace string, member bool) {
	if member {
		u.stops[namespace] = u.use(namespace, u.informer.of(namespace))
		return
	}
	u.stops[namespace]()
	delete(u.stops, namespace)
}
