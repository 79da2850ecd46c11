// SPDX-License-Identifier: Apache-2.0

package term

import "time"

// portable returns a clock that needs no particular kernel. It advances as Go's monotonic clock or
// as the wall clock, whichever advances by more: the monotonic clock may stand still while the
// machine is suspended, and the wall clock can be set. A wall clock that is set ahead ends a term
// too early, which is safe. One case is missed: the machine is suspended and the wall clock is set
// back between the same two readings.
func portable() Clock { return combine(goClocks()) }

// goClocks returns a function that reads Go's monotonic clock and the wall clock at once, each from zero. It
// makes no system call on the usual systems.
func goClocks() (read func() (monotonic, wall time.Duration)) {
	started := time.Now()
	return func() (monotonic, wall time.Duration) {
		now := time.Now()
		return now.Sub(started), now.Round(0).Sub(started.Round(0))
	}
}

// withFallback returns the clock that read reads, or fallback when read fails. When read fails
// later, the clock goes on from its first reading by what fallback has advanced since then.
func withFallback(read func() (time.Duration, error), fallback Clock) Clock {
	began := fallback()
	first, err := read()
	if err != nil {
		return fallback
	}
	return func() time.Duration {
		now, err := read()
		if err != nil {
			return first + fallback() - began
		}
		return now
	}
}
