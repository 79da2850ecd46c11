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
// [Manager.Run]. A Filter runs on the goroutine that delivers events, so it must not block.
type Filter[O Object] func(ctx context.Context, event Event[O]) bool

// MapFunc returns the objects to reconcile because of an event of object. For an update it is
// called twice, with the old and with the new state of the object. ctx descends from the context of
// [Manager.Run]. A MapFunc runs on the goroutine that delivers events, so it must not block: it
// should read caches, not call the API server.
type MapFunc[O Object] func(ctx context.Context, object O) []Request

// GenerationChanged is a [Filter]. It drops updates that leave metadata.generation as it is, such
// as changes of the status or of labels. It passes creations, deletions and resyncs. Use it for
// kinds with a status subresource.
func GenerationChanged[O Object](_ context.Context, event Event[O]) bool {
	return event.Type != Updated ||
		event.Old.GetGeneration() != event.New.GetGeneration() ||
		event.Old.GetResourceVersion() == event.New.GetResourceVersion()
}
