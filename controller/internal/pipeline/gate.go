// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Gate says whether the caches show enough for an item to be reconciled.
type Gate interface {
	// Delay returns for how long an item is held back because it triggers itself. It is asked again when
	// something else adds the item.
	Delay(item reconcile.Request, now time.Time) time.Duration
	// Idle reports whether there is nothing more to ask for the item.
	Idle(reconcile.Request) bool
	// Unsynced reports whether the item has to wait until a cache is filled. If so, wake is called when that
	// may be over.
	Unsynced(item reconcile.Request, wake func()) (waits bool)
	// Doubts reports whether Settle must be called first.
	Doubts(reconcile.Request) bool
	// Settle finds out what the item has to wait for.
	Settle(context.Context, reconcile.Request) error
	// Await reports whether the item has to wait. If so, wake is called when the wait is over.
	Await(item reconcile.Request, wake func()) (waits bool)
	// GiveUp ends a wait that has taken too long, and says what for.
	GiveUp(reconcile.Request) []string
}
