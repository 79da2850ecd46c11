// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"slices"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Shards says which items this process works on. It must be safe for concurrent use.
type Shards interface {
	// Has reports whether this process works on an item now.
	Has(reconcile.Request) bool
	// Enter begins the work on an item, which ends with Slot.Leave. ok is false if it is not this process's.
	Enter(reconcile.Request) (slot Slot, ok bool)
}

// Slot is a part of the items, which this process may lose. It is comparable.
type Slot interface {
	// Needed is the term that the items' writes need.
	Needed() *term.Term
	// AtEnd lets end be called in the instant in which the slot is given up or lost.
	AtEnd(end context.CancelCauseFunc) (forget func())
	// Leave ends the work on an item.
	Leave()
}

// owned returns the items that this process works on, of those that an event is about.
func owned(shards Shards, requests []reconcile.Request) []reconcile.Request {
	foreign := func(request reconcile.Request) bool { return !shards.Has(request) }
	if !slices.ContainsFunc(requests, foreign) {
		return requests
	}
	return slices.DeleteFunc(slices.Clone(requests), foreign) // they are the caller's
}
