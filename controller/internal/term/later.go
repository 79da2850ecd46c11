package term

import (
	"sync"
	"time"
)

// later makes one clock of two that are read together. Since the reading before it has gone on by as much as
// that of the two which has gone on by more. What one of them gains or loses, when it is set or stands still,
// counts for the time between two readings only, and is not made up for when it is put right.
func later(read func() (one, other time.Duration)) Clock {
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
		lastOne, lastOther = one, other
		return elapsed
	}
}
