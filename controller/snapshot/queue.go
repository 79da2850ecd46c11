// SPDX-License-Identifier: Apache-2.0

package snapshot

import "time"

// Queue is what waits to be reconciled.
type Queue struct {
	Ready   int `json:"ready"`   // a worker could take them now
	Delayed int `json:"delayed"` // until a moment
	Parked  int `json:"parked"`  // until caches show what earlier reconciles have written, or are filled
	// Waiting is the first of all of these: those that are ready, the longest wait first; then the others, the
	// soonest first.
	Waiting []Waiter `json:"waiting"`
}

// WaitState is what an item in a queue waits for.
type WaitState string

// What items wait for.
const (
	ForWorker WaitState = "ready"   // a worker
	ForTime   WaitState = "delayed" // a moment
	ForRest   WaitState = "held"    // a moment, because its reconciles trigger themselves
	ForCache  WaitState = "parked"  // caches
)

// Waiter is an item in a queue.
type Waiter struct {
	Object
	State WaitState `json:"state"`
	Since time.Time `json:"since"` // from when a worker could take it; of a delayed one, when that will be
	// Until is when it comes back by itself. Nil if a worker could take it now.
	Until *time.Time `json:"until,omitempty"`
	Why   Why        `json:"why"`
}

// Why is why an item is reconciled.
type Why struct {
	Reason string `json:"reason"` // a reconcile.Reason
	// By is the event of the reason. Nil if it is none, or not known.
	By *Trigger `json:"by,omitempty"`
	// Events is the number of events and other reasons since the item was last taken. By is the first.
	Events int `json:"events,omitempty"`
}

// Trigger is the event because of which an item is reconciled.
type Trigger struct {
	Object
	Kind string `json:"kind"`
	// Change is what has happened to the object: "created", "deleted", "deleting", "spec", "status" (or
	// metadata) or "content".
	Change string `json:"change"`
	// Self reports whether it is the object that is reconciled.
	Self bool `json:"self,omitempty"`
	// Own reports whether an earlier reconcile of the same object has made the change. It is known only of
	// reconciles that the story still has.
	Own bool `json:"own,omitempty"`
}
