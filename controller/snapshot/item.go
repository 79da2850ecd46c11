// SPDX-License-Identifier: Apache-2.0

package snapshot

import "time"

// Item is a reconcile that runs.
type Item struct {
	Object
	Began   time.Time `json:"began"`
	Age     Seconds   `json:"age"`
	Left    Seconds   `json:"left"`           // until the end of its context; negative after that
	Stuck   bool      `json:"stuck"`          // its time is over, and it has not returned
	Attempt int       `json:"attempt"`        // 1 for the first of a row of tries
	Slot    *int      `json:"slot,omitempty"` // of the object; nil without sharding
	Why     Why       `json:"why"`
	Calls   []Call    `json:"calls"` // that have not ended
}

// Phase is how far a call has come.
type Phase string

// The phases of a call.
const (
	Waiting   Phase = "waiting"   // for room on a connection
	Throttled Phase = "throttled" // by the client-side rate limiter, or because the API server asked for it
	Fenced    Phase = "fenced"    // the fence in the API server has not heard of the term yet
	Preparing Phase = "preparing" // it is about to be sent
	Sent      Phase = "sent"      // the answer has not begun
	Reading   Phase = "reading"   // the answer has begun
)

// Call is a call to the API server that has not ended.
type Call struct {
	Verb      string  `json:"verb,omitempty"` // empty if nothing is known of the call yet
	Resource  string  `json:"resource,omitempty"`
	Namespace string  `json:"namespace,omitempty"`
	Name      string  `json:"name,omitempty"`
	Path      string  `json:"path,omitempty"` // of a call that is not about a resource
	Phase     Phase   `json:"phase"`
	Age       Seconds `json:"age"`
}
