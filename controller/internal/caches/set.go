// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"errors"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/cache"
)

// Settings is what a cache keeps. The zero value is the default.
type Settings struct {
	KeepManagedFields bool                // keep metadata.managedFields, which are dropped by default
	Transform         cache.TransformFunc // changes each object before it is stored; nil for none
}

// Set is the informers that a manager runs. The zero value is empty. It is safe for concurrent use.
//
// Generated factories wrap a typed informer anew at each call, so an informer is known by its
// store.
type Set struct {
	mu      sync.Mutex
	byStore map[cache.Store]*Cache
	ordered []*Cache
}

// Add adds an informer, or returns its Cache if it was added before. Settings other than the
// default must come with the first Add.
func (s *Set) Add(informer cache.SharedIndexInformer, settings Settings) (*Cache, error) {
	if informer == nil {
		return nil, errors.New("an informer is nil: pass one from a generated informer factory")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.byStore[informer.GetStore()]; ok {
		if settings.KeepManagedFields || settings.Transform != nil {
			return nil, fmt.Errorf(
				"%s has been added already, without these options: call AddInformer before "+
					"anything else uses it",
				known.name,
			)
		}
		return known, nil
	}
	c := newCache(informer)
	if err := errors.Join(
		informer.SetWatchErrorHandlerWithContext(c.onError),
		informer.SetTransform(settings.transform),
	); err != nil {
		return nil, fmt.Errorf(
			"%s cannot be run by the manager: %w: add informers before they, or their factory, "+
				"are started",
			c.name,
			err,
		)
	}
	if s.byStore == nil {
		s.byStore = map[cache.Store]*Cache{}
	}
	s.byStore[informer.GetStore()] = c
	s.ordered = append(s.ordered, c)
	return c, nil
}

// All returns the caches in the order in which they were added.
func (s *Set) All() []*Cache {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ordered
}

func (s Settings) transform(obj any) (any, error) {
	if !s.KeepManagedFields {
		if object, err := meta.Accessor(obj); err == nil {
			object.SetManagedFields(nil)
		}
	}
	if s.Transform != nil {
		return s.Transform(obj)
	}
	return obj, nil
}
