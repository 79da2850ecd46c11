// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"maps"
	"slices"
	"sync"
)

// unsynced knows which items must not be reconciled yet, because a cache of the controller for their namespace
// has not synced. That is so for a moment after a namespace was added. It is safe for concurrent use.
type unsynced struct {
	mu      sync.Mutex
	sources map[*Source]func(namespace string) (synced bool)
	waiting map[string][]func() // by namespace
}

// add adds a source. synced reports whether its cache for a namespace has synced; true for a namespace that it
// does not have.
func (u *unsynced) add(source *Source, synced func(namespace string) bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sources == nil {
		u.sources = map[*Source]func(string) bool{}
	}
	u.sources[source] = synced
}

// remove removes a source, if it was added.
func (u *unsynced) remove(source *Source) {
	u.mu.Lock()
	delete(u.sources, source)
	u.mu.Unlock()
	u.wakeAll()
}

// idle reports whether there is no source that is asked.
func (u *unsynced) idle() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.sources) == 0
}

// await reports whether items of a namespace have to wait. If so, wake is called when another cache of the
// namespace has synced.
func (u *unsynced) await(namespace string, wake func()) (waits bool) {
	if u.synced(namespace) {
		return false
	}
	u.mu.Lock()
	if u.waiting == nil {
		u.waiting = map[string][]func(){}
	}
	u.waiting[namespace] = append(u.waiting[namespace], wake)
	u.mu.Unlock()
	return !u.synced(namespace) // it may have synced in between, and wake was not called
}

// synced reports whether all sources have synced for a namespace. It asks them without the lock, under which
// they tell that they have.
func (u *unsynced) synced(namespace string) bool {
	u.mu.Lock()
	all := slices.Collect(maps.Values(u.sources))
	u.mu.Unlock()
	return !slices.ContainsFunc(all, func(synced func(string) bool) bool { return !synced(namespace) })
}

// wake lets the items of a namespace ask again.
func (u *unsynced) wake(namespace string) {
	u.mu.Lock()
	waiting := u.waiting[namespace]
	delete(u.waiting, namespace)
	u.mu.Unlock()
	for _, wake := range waiting {
		wake()
	}
}

func (u *unsynced) wakeAll() {
	u.mu.Lock()
	waiting := u.waiting
	u.waiting = nil
	u.mu.Unlock()
	for _, of := range waiting {
		for _, wake := range of {
			wake()
		}
	}
}
