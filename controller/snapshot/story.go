// SPDX-License-Identifier: Apache-2.0

package snapshot

import "time"

// Reconcile is a reconcile that has ended.
type Reconcile struct {
	Object
	Controller string    `json:"controller"`
	Why        Why       `json:"why"`
	Attempt    int       `json:"attempt"` // 1 for the first of a row of tries
	Began      time.Time `json:"began"`
	Waited     Seconds   `json:"waited"` // for a worker
	Took       Seconds   `json:"took"`
	Outcome    string    `json:"outcome"`         // a reconcile.Outcome
	Cause      string    `json:"cause,omitempty"` // of a cancelled one: the name of the cause
	// Error is what is known of the error. See the package about its text.
	Error string `json:"error,omitempty"`
	// Again is when it was to be reconciled again by itself. Nil if only an event leads to another reconcile.
	Again  *time.Time `json:"again,omitempty"`
	Calls  int        `json:"calls"` // attempts
	Writes []Write    `json:"writes,omitempty"`
}

// Write is what a reconcile has written, of one resource with one verb.
type Write struct {
	Verb          string `json:"verb"`
	Resource      string `json:"resource"`
	Name          string `json:"name,omitempty"` // of the last object
	Attempts      int    `json:"attempts"`
	WithoutEffect int    `json:"withoutEffect,omitempty"`
	Unknown       int    `json:"unknown,omitempty"` // of which nobody knows whether they were applied
}

// Story is what a controller knows of one object.
type Story struct {
	Object
	Controller string    `json:"controller"`
	Kind       string    `json:"kind"`
	At         time.Time `json:"at"`
	// Cached reports whether the object is in the controller's caches.
	Cached bool `json:"cached"`
	// Place is why the controller does not reconcile the object in this process: "controller" if its workers
	// do not take items now, "slot" if another replica has the object's slot. Empty if it does.
	Place string `json:"place,omitempty"`

	InFlight *Item   `json:"inFlight,omitempty"` // nil if it is not being reconciled
	Waiting  *Waiter `json:"waiting,omitempty"`  // nil if it is not in the queue

	// Total is the number of reconciles since First. Reconciles are the last of them, the oldest first.
	Total      int64       `json:"total"`
	First      *time.Time  `json:"first,omitempty"`
	Reconciles []Reconcile `json:"reconciles"`
}
