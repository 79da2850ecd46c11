// SPDX-License-Identifier: Apache-2.0

package faulttest

import "slices"

// Mode is what happens at a call.
type Mode string

// The modes. "Applied" ones let the API server handle the call first; they are tried at writes only.
const (
	// The program is told to end, as by a rollout, and started again.
	CancelledBefore Mode = "not sent, then cancelled"
	CancelledAfter  Mode = "applied, then cancelled"
	// The process is gone from one moment to the next: nothing of it reaches the API server any more, its Leases are
	// not released, and a new process begins with empty caches. (Its Leases are emptied, as if they had expired.)
	CrashedBefore Mode = "not sent, then crashed"
	CrashedAfter  Mode = "applied, then crashed"
	// The connection breaks.
	ResetBefore Mode = "not sent, then reset"
	ResetAfter  Mode = "applied, then reset"
	// The time for the call alone is over, as with a limit of its own: the program goes on.
	LateBefore Mode = "not sent, then its time is over"
	LateAfter  Mode = "applied, then its time is over"
	// The API server refuses, or says that it has failed.
	Conflict      Mode = "refused with 409"
	TooMany       Mode = "refused with 429" // with Retry-After: 1
	FailedBefore  Mode = "refused with 500"
	FailedAfter   Mode = "applied, then 500"
	FailedLong    Mode = "refused with 500 until it waits" // this call and all like it, until it waits for 80 ms before
	TimedOut      Mode = "refused with 504"
	TimedOutAfter Mode = "applied, then 504"
	// Another process holds the program's Leases, that of its leadership or those of its slots, until the program has
	// noticed and is at rest.
	LeadershipLost Mode = "leadership lost"
	// The program's watches tell nothing from this call on, until it is at rest.
	Stale      Mode = "caches stale"
	StaleReset Mode = "applied, then reset, with caches stale"
	// Somebody else acts on the first of Program.Objects, before the call is sent.
	Deleted   Mode = "object deleted"
	Recreated Mode = "object recreated"
	Changed   Mode = "object changed"
)

// Modes returns all modes, in the order in which they are tried.
func Modes() []Mode {
	return []Mode{
		CancelledBefore, CancelledAfter, CrashedBefore, CrashedAfter, ResetBefore, ResetAfter, LateBefore, LateAfter,
		Conflict, FailedBefore, FailedAfter, FailedLong, TimedOut, TimedOutAfter, Stale, StaleReset, Deleted, Recreated, Changed, LeadershipLost, TooMany,
	}
}

// applies reports whether the API server handles the call before the fault.
func (m Mode) applies() bool {
	return slices.Contains([]Mode{CancelledAfter, CrashedAfter, ResetAfter, LateAfter, FailedAfter, TimedOutAfter, StaleReset}, m)
}

// world reports whether somebody else acts, so that the program has to end elsewhere.
func (m Mode) world() bool { return m == Deleted || m == Recreated || m == Changed }

// fails reports whether the program sees the call fail, and goes on.
func (m Mode) fails() bool {
	switch m {
	case ResetBefore, ResetAfter, LateBefore, LateAfter, StaleReset, Conflict, FailedBefore, FailedAfter, FailedLong, TimedOut, TimedOutAfter:
		return true
	}
	return false
}

// fits reports whether a mode makes sense at a call.
func (m Mode) fits(p *point, leases bool) bool {
	switch {
	case m == LeadershipLost:
		return leases
	case m == Conflict || m.applies():
		return p.write
	case m == Deleted || m == Changed:
		return p.phase != afterDeletion
	}
	return true
}
