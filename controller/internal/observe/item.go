// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/lanyard-k8s/lanyard/controller/internal/itemlog"
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
	// Requests are the items. The slice is the caller's, and valid during the call only.
	Requests []reconcile.Request
	// Link reports whether the span of the context, if it has one, is the reason for the items.
	Link bool
	// Delay is the time until they may be taken out of the queue.
	Delay time.Duration
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

	Log itemlog.Sink // of the item's logger

	// Set when it has ended:

	Result  reconcile.Result
	Outcome reconcile.Outcome
	Err     error // from the reconcile function, or from reading the cache
	// Again reports whether it is reconciled again without an event, and AgainAfter says when.
	Again      bool
	AgainAfter time.Duration
	// AfterEnd reports whether the controller had to end before the item did.
	AfterEnd bool
}

// Wait returns how long the item was ready and waited for a worker.
func (i *Item) Wait() time.Duration { return max(0, i.Start.Sub(i.Ready)) }
