// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/lanyard-k8s/lanyard/controller/internal/itemlog"
	"github.com/lanyard-k8s/lanyard/controller/internal/reasons"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Enqueue is one event that adds items to the queue of a controller.
type Enqueue struct {
	Controller string
	Reason     reconcile.Reason
	// Object is the object of the event in its last known state. It is nil if no event led to this,
	// as for a retry. It is the cache's own and must not be changed.
	Object metav1.Object
	// Before is the state before an update; nil for all else.
	Before metav1.Object
	// Deleted reports whether it is the event of a deletion.
	Deleted bool
	// Requests are the items. The slice is the caller's, and valid during the call only.
	Requests []reconcile.Request
	// Link reports whether the span of the context, if it has one, is the reason for the items.
	Link bool
	// Delay is the time until they may be taken out of the queue.
	Delay time.Duration
}

// Trigger returns the event as the items remember it. There is none if nothing has changed: the objects
// that exist at the start are not kept for that.
func (e *Enqueue) Trigger() reasons.Trigger {
	t := reasons.Trigger{Object: e.Object}
	switch {
	case e.Object == nil || e.Reason == reconcile.StartUp || e.Reason == reconcile.Resync:
		return reasons.Trigger{}
	case e.Deleted:
		t.Change = reasons.Deleted
	case e.Before == nil:
		t.Change = reasons.Created
	case e.Before.GetDeletionTimestamp() == nil && e.Object.GetDeletionTimestamp() != nil:
		t.Change = reasons.Deleting
	case e.Before.GetGeneration() != e.Object.GetGeneration():
		t.Change = reasons.Spec
	case e.Object.GetGeneration() == 0:
		t.Change = reasons.Content
	default:
		t.Change = reasons.Status
	}
	return t
}

// Item is one reconcile, from the moment in which a worker took it.
type Item struct {
	work.Unit
	ObjectKind schema.GroupKind
	Object     metav1.Object // as it was in the cache; nil if it was not there

	Reason   reconcile.Reason // the first of those for which it is reconciled
	Ready    time.Time        // when it could first have been taken
	Delay    time.Duration    // that its retry or requeue asked for, before Ready
	Triggers int              // the number of events since it was last taken
	Trigger  reasons.Trigger  // the first of them

	Log itemlog.Sink // of the item's logger

	// Set when it has ended:

	Took    time.Duration
	Result  reconcile.Result
	Outcome reconcile.Outcome
	Err     error // from the reconcile function, or from reading the cache
	// Again reports whether it is reconciled again without an event, and AgainAfter says when.
	AgainAfter time.Duration
	Again      bool
	// AfterEnd reports whether the controller had to end before the item did.
	AfterEnd bool
}

// Wait returns how long the item was ready and waited for a worker.
func (i *Item) Wait() time.Duration { return max(0, i.Start.Sub(i.Ready)) }
