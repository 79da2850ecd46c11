//go:build !linux

package term

import "time"

// BootTime returns a clock that goes on as Go's monotonic clock or the wall clock does, whichever goes on by
// more: the first may stand still while the machine is suspended, the second can be set. Set ahead, it ends a
// term too early, which is safe. What fools it is a wall clock that is set back between two readings with the
// machine suspended between them too.
func BootTime() Clock {
	started := time.Now()
	return later(func() (monotonic, wall time.Duration) {
		now := time.Now()
		return now.Sub(started), now.Round(0).Sub(started.Round(0))
	})
}
