// SPDX-License-Identifier: Apache-2.0

package term

import (
	"sync"
	"time"
)

// combine makes one clock of two clocks that are read together. Between two readings it advances
// by what the two have advanced, whichever is more. A step of one of them (it was set, or it stood
// still) therefore counts only once, and is not made up for when that clock is corrected.
func combine(read func() (one, other time.Duration)) Clock {
	var (
		mu      sync.Mutex
		elapsed time.Duration
	)
	lastOne, lastOther := read()
	return func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		one, other := read()
		elapsed += max(0, one-lastOne, other-lastOther)
		lastOne = one
		lastOther = other
		return elapsed
	}
}
