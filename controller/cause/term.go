// SPDX-License-Identifier: Apache-2.0

package cause

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// TermEnd says how a term of leadership ended. The set is bounded, for metrics.
type TermEnd string

// How a term ends.
const (
	TermExpired  TermEnd = "expired"  // it was not renewed in time, by a clock that runs while the machine is suspended
	TermTaken    TermEnd = "taken"    // the lease shows another holder
	TermReleased TermEnd = "released" // the lease shows no holder, although this process did not give it up
	TermDeleted  TermEnd = "deleted"  // the lease is gone
	TermEdited   TermEnd = "edited"   // the lease promises others a shorter time than this process counts on
	TermRefused  TermEnd = "refused"  // the fence in the API server refused a write
	TermStuck    TermEnd = "stuck"    // the workers make no progress
	TermResigned TermEnd = "resigned" // this process gave it up, after its work had returned
)

// TermEnds returns all ways in which a term can end.
func TermEnds() []TermEnd {
	return []TermEnd{
		TermExpired, TermTaken, TermReleased, TermDeleted, TermEdited, TermRefused, TermStuck, TermResigned,
	}
}

// Term is one term of leadership: from the moment this process acquired a Lease to the moment it
// lost it or gave it up.
type Term struct {
	// Lease is the Lease's namespace and name.
	Lease types.NamespacedName
	// Holder is the identity under which this process leads.
	Holder string
	// Number is the Lease's leaseTransitions. It grows from term to term, and starts at 0 again
	// after the Lease was deleted.
	Number int
	// ResourceVersion is the Lease's, as this process acquired it. No two terms have the same.
	ResourceVersion string
	// Began is when this process learned that it leads.
	Began time.Time
}

// String returns the holder and the number of the term.
func (t Term) String() string { return fmt.Sprintf("%s#%d", t.Holder, t.Number) }

// TermEnded says which term of leadership ended, how and when. When a context has ended with
// [LeadershipLost], call [errors.As] on its [context.Cause] to get the *TermEnded.
type TermEnded struct {
	Term
	How    TermEnd
	Detail string    // for people: who holds the Lease now, what is stuck
	At     time.Time // when it ended, as this process saw it
}

// Error says it in a line.
func (e *TermEnded) Error() string {
	text := map[TermEnd]string{
		TermExpired: "it was not renewed in time", TermTaken: "another process holds the lease",
		TermReleased: "someone emptied the lease", TermDeleted: "the lease was deleted",
		TermEdited: "the lease was edited", TermRefused: "the API server's fence refused a write",
		TermStuck: "the workers are stuck", TermResigned: "it was given up",
	}[e.How]
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return fmt.Sprintf("term %d of %s on the lease %s ended at %s: %s",
		e.Number, e.Holder, e.Lease, e.At.Format("15:04:05.000"), text)
}
