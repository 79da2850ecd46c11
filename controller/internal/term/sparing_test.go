// SPDX-License-Identifier: Apache-2.0

package term

import (
	"testing"
	"time"
)

func TestC14TheKernelsClockIsReadAgainWhenAnyClockHasMovedOn(t *testing.T) {
	type step struct {
		monotonic, wall, boot time.Duration // since the step before
		want                  time.Duration // since the first reading
	}
	const us, ms = time.Microsecond, time.Millisecond
	for name, steps := range map[string][]step{
		"moments are added up without a reading":     {{10 * us, 10 * us, 12 * us, 10 * us}, {20 * us, 20 * us, 20 * us, 30 * us}},
		"of two clocks that which has gone on more":  {{0, 30 * us, 30 * us, 30 * us}, {40 * us, 0, 40 * us, 40 * us}},
		"a millisecond later it is read":             {{ms, ms, 3 * ms, 3 * ms}},
		"a suspended machine: the monotonic stood":   {{0, time.Minute, time.Minute, time.Minute}},
		"a stopped process, and a wall clock set":    {{time.Minute, -time.Hour, time.Minute, time.Minute}},
		"a wall clock that goes back a little":       {{10 * us, -us, 5 * ms, 5 * ms}},
		"moments after a second reading count anew":  {{ms, ms, 3 * ms, 3 * ms}, {10 * us, 10 * us, 10 * us, 3*ms + 10*us}},
		"what has passed adds up to another reading": {{600 * us, 600 * us, 600 * us, 600 * us}, {600 * us, 600 * us, ms, 1600 * us}},
	} {
		t.Run(name, func(t *testing.T) {
			now := step{monotonic: 1000, wall: 5000, boot: 9000} // none begins at 0
			clock := sparing(
				func() time.Duration { return now.boot },
				func() (monotonic, wall time.Duration) { return now.monotonic, now.wall },
			)
			first := clock()
			for i, s := range steps {
				now.monotonic += s.monotonic
				now.wall += s.wall
				now.boot += s.boot
				if got := clock() - first; got != s.want {
					t.Errorf("step %d: %v since the first reading, want %v", i, got, s.want)
				}
			}
		})
	}
}

func TestTheKernelsClockIsReadOnceInAMillisecond(t *testing.T) {
	readings := 0
	now := time.Duration(0)
	clock := sparing(
		func() time.Duration { readings++; return now },
		func() (monotonic, wall time.Duration) { return now, now },
	)
	for range 1000 {
		clock()
		now += time.Microsecond
	}
	if readings != 1 {
		t.Errorf("it was read %d times", readings)
	}
}
