// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
)

// Set is the informers of a manager. The zero value is empty. It is safe for concurrent use.
//
// Generated factories wrap a typed informer anew at each call, so an informer is known by its
// store.
type Set struct {
	// DetectMutations looks for objects that are changed in their cache. It must be set first.
	DetectMutations bool

	mu      sync.Mutex
	byStore map[cache.Store]*Cache
	ordered []*Cache

	// Derived, see changed.
	covering map[string][]*Cache
	ofKind   map[schema.GroupKind][]*Cache
}

// use notes one more user. Set.mu must be held.
func (c *Cache) use(user User) {
	c.users++
	c.belongs = c.belongs || user.Alone || user.Program
	c.ofProgram = c.ofProgram || user.Program
}

// Add adds a user of an informer, and the informer if it is new, for the manager to run.
func (s *Set) Add(informer cache.SharedIndexInformer, user User) (c *Cache, added bool, err error) {
	if informer == nil {
		return nil, false, errors.New("an informer is nil: pass one from a generated informer factory")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stated := user.Stated
	if known, ok := s.byStore[informer.GetStore()]; ok {
		if stated != nil && known.stated != stated {
			return nil, false, fmt.Errorf(
				"%s has been added already, without these options: call AddInformer before "+
					"anything else uses it", known.name)
		}
		if err := known.objects.expect(&user); err != nil {
			return nil, false, err
		}
		known.use(user)
		return known, false, nil
	}
	c = s.newCache(informer, user.Kind.String())
	c.stated = stated
	c.late = user.Late
	if stated != nil {
		c.transformer.settings = *stated
	}
	c.use(user)
	if err := errors.Join(
		c.objects.expect(&user), c.notStarted(), informer.SetTransform(c.objects.checked(c.transform)),
	); err != nil {
		return nil, false, err
	}
	s.keep(c)
	return c, true, nil
}

// Adopt adds an informer that its factory runs. kind is that of its objects, or zero if no scheme
// knows their Go type: its name is the label then. It returns the Cache that the informer has already
// if it was added before. late says that it was asked of the factory only since the manager runs.
func (s *Set) Adopt(
	informer cache.SharedIndexInformer, kind schema.GroupKind, goType reflect.Type, late bool,
) *Cache {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.byStore[informer.GetStore()]
	if !ok {
		label := kind.String()
		if kind.Empty() {
			label = goType.String()
		}
		c = s.newCache(informer, label)
		c.objects.kind = kind
		c.objects.goType = goType
		c.adopted = true
		c.late = late
		c.noteEvents()
		s.keep(c)
	}
	c.belongs = true
	return c
}

func (s *Set) newCache(informer cache.SharedIndexInformer, label string) *Cache {
	c := newCache(informer, label)
	if s.DetectMutations {
		c.mutations = &mutations{}
	}
	return c
}

// KindOf returns the kind of the objects of an informer that was added. ok is false if it was not, or
// if its kind is not known.
func (s *Set) KindOf(informer cache.SharedIndexInformer) (kind schema.GroupKind, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.byStore[informer.GetStore()]; ok {
		return c.objects.known()
	}
	return schema.GroupKind{}, false
}

func (s *Set) keep(c *Cache) {
	if s.byStore == nil {
		s.byStore = map[cache.Store]*Cache{}
	}
	s.byStore[c.GetStore()] = c
	s.ordered = append(s.ordered, c)
	s.changed()
}

// Release notes that a user of a cache is gone. The last one takes the cache with it: then it is not
// in the set any more, and last is true. Adopted ones stay, because their factories run them.
func (s *Set) Release(c *Cache) (last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.users--
	if c.users > 0 || c.adopted {
		return false
	}
	delete(s.byStore, c.GetStore())
	s.ordered = slices.DeleteFunc(slices.Clone(s.ordered), func(other *Cache) bool { return other == c })
	s.changed()
	return true
}

// All returns the caches in the order in which they were added.
func (s *Set) All() []*Cache {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ordered)
}

// OfProgram returns the caches that the program itself reads, whatever controllers use them.
func (s *Set) OfProgram() []*Cache {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.ordered), func(c *Cache) bool { return !c.ofProgram && !c.adopted })
}

// Strangers returns the caches that no factory has of those that the manager knows, and that were
// not added for their own sake.
func (s *Set) Strangers() []*Cache {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.ordered), func(c *Cache) bool { return c.belongs })
}

// Own returns the caches that the manager's own runners feed, and not factories.
func (s *Set) Own() []*Cache {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.ordered), func(c *Cache) bool { return c.adopted })
}

// StartedElsewhere returns an error that names each informer which something else has started before
// the manager.
func (s *Set) StartedElsewhere() error {
	var errs []error
	for _, c := range s.All() {
		if !c.adopted {
			errs = append(errs, c.notStarted())
		}
	}
	return errors.Join(errs...)
}

// Mutated returns an error that names each object which was changed in its cache.
func (s *Set) Mutated(now time.Time) error {
	if !s.DetectMutations {
		return nil
	}
	var errs []error
	for _, c := range s.All() {
		errs = append(errs, c.mutations.check(c.name, c.GetStore(), now))
	}
	return errors.Join(errs...)
}

// changed forgets what was derived from the caches. Set.mu must be held.
func (s *Set) changed() {
	s.covering = nil
	s.ofKind = nil
}
