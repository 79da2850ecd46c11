// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"time"

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
