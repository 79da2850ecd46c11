// SPDX-License-Identifier: Apache-2.0

package term

import (
	"sync"
	"time"
)

// freshFor is the time for which a reading of the kernel's clock counts.
const freshFor = time.Millisecond

// sparing reads a clock at most once a millisecond. A reading is a system call, which takes microseconds on
// a virtual machine, and each write of a term asks several times within a moment. In between, the clock goes
// on by what the monotonic clock or the wall clock has advanced, whichever is more, and these need no system
// call. The clock is read when one of them has advanced by a millisecond, or the wall clock was set back. A
// machine that resumes sets its wall clock ahead, so that is seen at once.
func sparing(clock Clock, read func() (monotonic, wall time.Duration)) Clock {
	var (
		mu              sync.Mutex
		monotonic, wall time.Duration // when clock was read
		reading, last   time.Duration
		begun           bool
	)
	return func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		m, w := read()
		advanced := max(m-monotonic, w-wall)
		if !begun || w < wall || advanced >= freshFor {
			// What passes between read and clock counts twice until the next reading, and not never.
			begun = true
			monotonic = m
			wall = w
			advanced = 0
			reading = clock()
		}
		last = max(last, reading+advanced)
		return last
	}
}
