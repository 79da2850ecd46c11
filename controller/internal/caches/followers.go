// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

// Seen is told that the cache has a later state of an object, or the object not any more. It is called after
// the cache has changed.
type Seen func(c *Cache, object metav1.Object)

// Follow notes that a source tells Seen of the cache's events. Unfollow ends that.
func (c *Cache) Follow() { c.followers.Add(1) }

// Unfollow reports whether nothing tells Seen any more.
func (c *Cache) Unfollow() (none bool) { return c.followers.Add(-1) == 0 }

// EnsureFollowed makes the events of a cache that is no source known to seen.
func (c *Cache) EnsureFollowed(seen Seen) {
	if c.followers.Load() > 0 {
		return
	}
	c.followers.Add(1) // it stays
	tell := func(object any) {
		if deleted, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = deleted.Obj
		}
		if accessor, err := meta.Accessor(object); err == nil {
			seen(c, accessor)
		}
	}
	// It fails only for an informer that has ended.
	_, _ = c.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: tell, UpdateFunc: func(_, after any) { tell(after) }, DeleteFunc: tell,
	})
}
