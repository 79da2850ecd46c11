package term

import (
	"time"

	"golang.org/x/sys/unix"
)

// BootTime returns the clock CLOCK_BOOTTIME. Go's own clock is CLOCK_MONOTONIC, which stands still while the
// machine is suspended; the wall clock can be set back.
func BootTime() Clock {
	return func() time.Duration {
		var now unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
			panic("the kernel has no CLOCK_BOOTTIME: " + err.Error()) // Linux has had it since 2.6.39
		}
		return time.Duration(now.Nano())
	}
}
