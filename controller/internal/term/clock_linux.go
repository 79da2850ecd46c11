// SPDX-License-Identifier: Apache-2.0

package term

import (
	"time"

	"golang.org/x/sys/unix"
)

// BootTime returns a clock that reads CLOCK_BOOTTIME. Go's own clock is CLOCK_MONOTONIC, which
// stands still while the machine is suspended, and the wall clock can be set back. Where the
// system has no CLOCK_BOOTTIME (a sandbox may lack it, Linux has had it since 2.6.39) it returns
// the same clock as on other systems.
func BootTime() Clock { return sparing(withFallback(readBootTime, portable()), goClocks()) }

func readBootTime() (time.Duration, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return 0, err
	}
	return time.Duration(now.Nano()), nil
}
