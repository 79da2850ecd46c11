// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// Selection returns which objects the cache has, or nil before it was listed for the first time. It goes
// by what the informer has asked of the API server. factories is the streams of informers that factories
// run: these share one.
func (c *Cache) Selection(factories *work.Streams) *Selection {
	if known := c.selection.Load(); known != nil {
		return known
	}
	streams := c.unit.Streams
	if c.adopted {
		streams = factories
	}
	for collection := range streams.Collections() {
		selection := parseSelection(collection)
		kind, _ := c.objects.known()
		if selection != nil && (!c.adopted || isOf(selection.Resource, kind)) {
			c.selection.Store(selection)
			return selection
		}
	}
	return nil
}

// Covering returns the caches that have objects of a resource.
func (s *Set) Covering(resource string, factories *work.Streams) []*Cache {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.covering[resource]; ok {
		return known
	}
	var all []*Cache
	whole := true
	for _, c := range s.ordered {
		switch selection := c.Selection(factories); {
		case selection == nil:
			whole = false
		case selection.Resource == resource:
			all = append(all, c)
		}
	}
	if whole {
		if s.covering == nil {
			s.covering = map[string][]*Cache{}
		}
		s.covering[resource] = all
	}
	return all
}

// OfKind returns the caches of the objects of a kind.
func (s *Set) OfKind(kind schema.GroupKind) []*Cache {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.ofKind[kind]; ok {
		return known
	}
	var all []*Cache
	whole := true
	for _, c := range s.ordered {
		switch its, ok := c.objects.known(); {
		case !ok:
			whole = false // the first object will tell
		case its == kind:
			all = append(all, c)
		}
	}
	if whole {
		if s.ofKind == nil {
			s.ofKind = map[schema.GroupKind][]*Cache{}
		}
		s.ofKind[kind] = all
	}
	return all
}
