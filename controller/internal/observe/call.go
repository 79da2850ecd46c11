// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// Call is an API call that a manager's client makes.
type Call struct {
	work.Outstanding
	// Unit is the unit of work that makes it; nil for a call with a context from outside the
	// manager.
	Unit *work.Unit
}

// Attempt is one attempt at a call, after it was answered or has failed.
type Attempt struct {
	Code int           // the HTTP status; 0 if there was no answer
	Took time.Duration // until the answer began
}

// Throttle is a time for which a call was or will be held back.
type Throttle struct {
	Reason report.Throttle
	Began  time.Time
	Wait   time.Duration
	// Ahead reports whether the wait is still to come: client-go will wait before its next attempt.
	Ahead bool
}

// Write is what is known of a call that may have changed something, when it was answered or has failed.
type Write struct {
	// Collection is the URL path of the collection that the object is in.
	Collection string
	// Unknown reports whether the API server may or may not have applied the write: it was cut off in
	// flight, or the answer does not say what became of the object, or says it of an older version than a
	// cache has had before.
	Unknown bool
	// Namespace and Name are the object's, as the answer has them or else the request. Name is empty
	// for a whole collection, and if the API server was to make up a name and has not answered.
	Namespace, Name string
	UID             types.UID
	// Version is the resourceVersion that the write led to. It is empty if the object is gone.
	Version string
	// Before is the resourceVersion that the object had, as far as that was known when the request was sent:
	// from an earlier write of the same reconcile, from a cache, or from the body of an update. Otherwise
	// it is empty.
	Before string
	// Answer is the body of the answer, if there is one, and ContentType its encoding. It is valid during
	// the call only.
	Answer      []byte
	ContentType string
	// Gone reports whether the object, whose UID is known, does not exist any more.
	Gone bool
	// Selector and Fields are those of a write of a collection.
	Selector, Fields string
}
