package cause

import (
	"fmt"
	"time"
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
	TermStuck    TermEnd = "stuck"    // the workers make no progress (C27)
	TermResigned TermEnd = "resigned" // this process gave it up, after its work had returned
)

// TermEnded is the detail of [LeadershipLost]: which term ended, how and when. Find it with errors.As.
type TermEnded struct {
	Lease  string    // namespace and name
	Holder string    // the identity that this process leads under
	Number int       // of the term: the lease's leaseTransitions
	How    TermEnd   //
	Detail string    // for people: who took it, what is stuck
	At     time.Time // when it ended, by this process's account
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
	return fmt.Sprintf("term %d of %s on the lease %s ended at %s: %s", e.Number, e.Holder, e.Lease, e.At.Format("15:04:05.000"), text)
}
