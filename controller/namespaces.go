// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"slices"
	"sync"

	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
)

// Namespaces is a set of namespaces in which controllers work: see [InNamespaces]. It may change
// while the manager runs. All methods are safe for concurrent use. [NewNamespaces] makes one.
type Namespaces struct {
	mu       sync.Mutex
	names    map[string]bool
	informed []subscriber
}

// subscriber is told of each namespace that is added or removed.
type subscriber interface {
	set(namespace string, member bool)
}

// NewNamespaces makes a set of namespaces.
func NewNamespaces(names ...string) *Namespaces {
	n := &Namespaces{names: map[string]bool{}}
	n.Set(names...)
	return n
}

// Set makes names the set. For a namespace that is new, informers start; the controllers reconcile
// what is in it when its objects arrive. For one that is gone, running reconciles of its objects are
// cancelled with [cause.Stopped], and its informers end. Objects in a namespace that is gone are not
// reported as deleted.
//
// Set returns when event handlers of the namespaces that are gone do not run any more. It must not
// be called from a filter or mapping.
func (n *Namespaces) Set(names ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name := range n.names {
		if !slices.Contains(names, name) {
			delete(n.names, name)
			n.tell(name, false)
		}
	}
	for _, name := range names {
		if !n.names[name] {
			n.names[name] = true
			n.tell(name, true)
		}
	}
}

// tell tells the subscribers. n.mu must be held.
func (n *Namespaces) tell(name string, member bool) {
	for _, s := range n.informed {
		s.set(name, member)
	}
}

// List returns the namespaces, sorted.
func (n *Namespaces) List() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	names := make([]string, 0, len(n.names))
	for name := range n.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (n *Namespaces) has(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.names[name]
}

// subscribe tells s of the namespaces that there are, and of changes.
func (n *Namespaces) subscribe(s subscriber) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.informed = append(n.informed, s)
	for name := range n.names {
		s.set(name, true)
	}
}

// unsubscribe tells s that there is no namespace any more, and nothing after that.
func (n *Namespaces) unsubscribe(s subscriber) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.informed = slices.DeleteFunc(n.informed, func(other subscriber) bool { return other == s })
	for name := range n.names {
		s.set(name, false)
	}
}

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
	return caches.NewUnion(i.TypedSharedIndexInformer.GetIndexer(), i.indexers)
}

func (i *namespacedInformer[O]) indexers() map[string]cache.Indexer {
	i.mu.RLock()
	defer i.mu.RUnlock()
	all := map[string]cache.Indexer{}
	for namespace, informer := range i.byNamespace {
		all[namespace] = informer.GetIndexer()
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

// namespacedSource is the sources of a controller, one for each namespace.
type namespacedSource[O Object] struct {
	informer *namespacedInformer[O]
	attach   func(cache.TypedSharedIndexInformer[O]) *Source
	detached func(namespace string)
	sources  map[string]*Source
}

// set adds or removes the source of a namespace.
func (s *namespacedSource[O]) set(namespace string, member bool) {
	if member {
		s.sources[namespace] = s.attach(s.informer.of(namespace))
		return
	}
	s.sources[namespace].Stop()
	delete(s.sources, namespace)
	s.detached(namespace)
}

// each calls use for the informer of each namespace, and what use returned when the namespace is gone.
// stop ends that for all.
func (i *namespacedInformer[O]) each(use func(cache.SharedIndexInformer) (stop func())) (stop func()) {
	each := &namespacedUse[O]{informer: i, use: use, stops: map[string]func(){}}
	i.namespaces.subscribe(each)
	return func() { i.namespaces.unsubscribe(each) }
}

// namespacedUse is a use of the informer of each namespace.
type namespacedUse[O Object] struct {
	informer *namespacedInformer[O]
	use      func(cache.SharedIndexInformer) (stop func())
	stops    map[string]func()
}

// set begins or ends the use of the informer of a namespace.
func (u *namespacedUse[O]) set(namespace string, member bool) {
	if member {
		u.stops[namespace] = u.use(u.informer.of(namespace))
		return
	}
	u.stops[namespace]()
	delete(u.stops, namespace)
}
