package controller

import (
	"context"
)

// EventType is what has happened to an object.
type EventType string

// The types of events.
const (
	Added   EventType = "added"
	Updated EventType = "updated"
	Deleted EventType = "deleted"
)

// Event is a change in a cache. Its objects are the cache's own and must not be changed.
type Event[O Object] struct {
	Type EventType
	// Old is the state before, nil when the object was added.
	Old O
	// New is the state after, nil when the object was deleted.
	New O
	// Initial tells that the object was there when the controller started.
	Initial bool
}

// object is the last known state.
func (e Event[O]) object() O {
	if e.New != *new(O) {
		return e.New
	}
	return e.Old
}

// canWait tells whether nothing has happened to the object: it was there at the start, or is resynced.
func (e Event[O]) canWait() bool {
	return e.Initial || e.Type == Updated && e.Old.GetResourceVersion() == e.New.GetResourceVersion()
}

// Filter tells whether an event is worth a reconcile. It runs on the goroutine that delivers events, so
// it must not block. ctx descends from Run's (C1).
type Filter[O Object] func(ctx context.Context, event Event[O]) bool

// GenerationChanged passes an update only when the generation changed, that is, not a change of status
// or metadata alone; and every resync. Use it on kinds with a status subresource.
func GenerationChanged[O Object](_ context.Context, event Event[O]) bool {
	return event.Type != Updated ||
		event.Old.GetGeneration() != event.New.GetGeneration() ||
		event.Old.GetResourceVersion() == event.New.GetResourceVersion()
}
