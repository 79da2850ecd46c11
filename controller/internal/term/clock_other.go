//go:build !linux

package term

import "time"

// BootTime returns a clock that is the later of what Go's monotonic clock and the wall clock say: the first
// may stand still while the machine is suspended, the second can be set. Set forward, it ends a term too
// early, which is safe. Only a machine that is suspended and whose wall clock is set back meanwhile fools it.
func BootTime() Clock {
	started := time.Now()
	return func() time.Duration {
		now := time.Now()
		return max(now.Sub(started), now.Round(0).Sub(started.Round(0)))
	}
}
