// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/client-go/tools/cache"
)

// storing is the time within which an object is in the store after it was noted.
const storing = 10 * time.Second

// mutations finds changes of the objects in a cache that the program has made in place. It has a
// copy of each object, from before anything else has seen it. client-go has a detector too, but only
// for a whole process, which an environment variable switches on and which it ends by a panic.
type mutations struct {
	mu     sync.Mutex
	copies map[string]original // by the key of the object
	found  []error
}

type original struct {
	object, copied runtime.Object
	at             time.Time
}

// note copies an object that is about to be stored. The object that it replaces is looked at for the
// last time.
func (m *mutations) note(name string, obj any) {
	object, ok := obj.(runtime.Object)
	if !ok {
		return
	}
	key := keyOf(obj)
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, ok := m.copies[key]; ok && before.object != object {
		m.compare(name, key, before)
	}
	if m.copies == nil {
		m.copies = map[string]original{}
	}
	m.copies[key] = original{object: object, copied: object.DeepCopyObject(), at: time.Now()}
}

// check returns an error that names each object which was changed.
func (m *mutations) check(name string, store cache.Store, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, o := range m.copies {
		m.compare(name, key, o)
		if _, exists, _ := store.GetByKey(key); !exists && now.Sub(o.at) > storing {
			delete(m.copies, key)
		}
	}
	slices.SortFunc(m.found, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(m.found...)
}

// compare compares an object with its copy. What was found is found once.
func (m *mutations) compare(name, key string, o original) {
	// Semantic, because a Quantity changes its cached text when it is printed.
	if equality.Semantic.DeepEqual(o.object, o.copied) {
		return
	}
	m.found = append(m.found, fmt.Errorf("%s: the object %s in the cache was changed in place: objects of "+
		"listers, indexers and events are shared, so change a copy of them (DeepCopy). "+
		"The change (- as it was stored, + as it is now):\n%s", name, key, diff.Diff(o.copied, o.object)))
	o.copied = o.object.DeepCopyObject()
	m.copies[key] = o
}
