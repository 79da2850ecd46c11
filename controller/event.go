// SPDX-License-Identifier: Apache-2.0

package controller

import "context"

// EventType is what happened to an object.
type EventType string

// The types of events.
const (
	Added   EventType = "added"
	Updated EventType = "updated"
	Deleted EventType = "deleted"
)

// Event is a change of an object in a cache. Old and New point into the cache and must not be
// changed.
type Event[O Object] struct {
	// Type is what happened.
	Type EventType
	// Old is the state before. It is nil for an object that was added.
	Old O
	// New is the state after. It is nil for an object that was deleted.
	New O
	// Initial reports whether the object existed when the controller started.
	Initial bool
}

// Filter reports whether an event needs a reconcile. ctx descends from the context of
// [Manager.Run]. A Filter runs on the goroutine that delivers events, so it must not block. If it
// panics, the panic is logged and the event passes.
type Filter[O Object] func(ctx context.Context, event Event[O]) bool

// MapFunc returns the objects to reconcile because of an event of object. For an update it is
// called twice, with the old and with the new state of the object. ctx descends from the context of
// [Manager.Run]. A MapFunc runs on the goroutine that delivers events, so it must not block: it
// should read caches, not call the API server.
//
// A MapFunc that cannot know which objects depend on object should return all that may. If it
// panics, the panic is logged, and the controller reconciles all objects that it has in its caches,
// because any of them may be concerned: after a second, and not more often than once a minute.
type MapFunc[O Object] func(ctx context.Context, object O) []Request
