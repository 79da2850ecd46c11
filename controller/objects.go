// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"slices"
	"sync"
	"sync/atomic"

	"k8s.io/client-go/tools/cache"
)

// objects is the caches that may hold the objects that a controller reconciles: those of its own
// informer, and of other informers of the same type, such as for another namespace. It is safe for
// concurrent use.
type objects struct {
	mu      sync.Mutex
	caches  atomic.Pointer[[]cache.Indexer]
	covered atomic.Pointer[func(Request) bool] // nil: everything
}

func (o *objects) add(indexer cache.Indexer) {
	if indexer == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	more := append(slices.Clone(o.list()), indexer)
	o.caches.Store(&more)
}

func (o *objects) remove(indexer cache.Indexer) {
	if indexer == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	fewer := slices.Clone(o.list())
	if i := slices.Index(fewer, indexer); i >= 0 { // another source may have the same
		fewer = slices.Delete(fewer, i, i+1)
	}
	o.caches.Store(&fewer)
}

func (o *objects) list() []cache.Indexer {
	if all := o.caches.Load(); all != nil {
		return *all
	}
	return nil
}

// get returns an object from whichever cache has it.
func (o *objects) get(request Request) (object any, exists bool, err error) {
	key := request.String()
	for _, indexer := range o.list() {
		if object, exists, err = indexer.GetByKey(key); exists || err != nil {
			return object, exists, err
		}
	}
	return nil, false, nil
}

// have reports whether a cache has an object.
func (o *objects) have(request Request) bool {
	_, exists, err := o.get(request)
	return exists && err == nil
}

// requests returns the requests for all objects in the caches.
func (o *objects) requests() (all []Request) {
	for _, indexer := range o.list() {
		for _, key := range indexer.ListKeys() {
			if namespace, name, err := cache.SplitMetaNamespaceKey(key); err == nil {
				all = append(all, Request{Namespace: namespace, Name: name})
			}
		}
	}
	return all
}

// cover reports whether the controller's own informer has the object of a request if it exists. If
// not, its absence from the caches does not mean that the object was deleted.
func (o *objects) cover(request Request) bool {
	covered := o.covered.Load()
	return covered == nil || (*covered)(request)
}
