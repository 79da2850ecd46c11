// SPDX-License-Identifier: Apache-2.0

package reconcile

// Reason is why an object is reconciled. The set is bounded: it is an attribute of spans.
type Reason string

// The reasons.
const (
	ObjectChanged  Reason = "object_changed"  // the object itself appeared, changed or was deleted
	RelatedChanged Reason = "related_changed" // an object that it owns, or that a mapping led from
	StartUp        Reason = "start_up"        // it was in the cache when the controller started
	Resync         Reason = "resync"          // the informer told of it again, without a change
	RequeueAfter   Reason = "requeue_after"   // its last reconcile asked for it
	Retry          Reason = "retry"           // its last reconcile failed
	External       Reason = "external"        // a source that is no informer enqueued it
	SlotGained     Reason = "slot_gained"     // its slot has come to this process
	Superseded     Reason = "superseded"      // it changed while it was being reconciled
)
