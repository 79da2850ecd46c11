// SPDX-License-Identifier: Apache-2.0

package term

import (
	"errors"
	"testing"
	"time"
)

func TestTheClockGoesOnWhereTheKernelHasNoBootTime(t *testing.T) {
	missing := errors.New("no such clock")
	var now time.Duration
	fallback := func() time.Duration { return 100 + now }
	for name, c := range map[string]struct {
		fails func() bool
		want  []time.Duration // at 0, 5 and 9
	}{
		"it has":              {func() bool { return false }, []time.Duration{7000, 7005, 7009}},
		"it has not":          {func() bool { return true }, []time.Duration{100, 105, 109}},
		"it has not for ever": {func() bool { return now >= 5 }, []time.Duration{7000, 7005, 7009}},
	} {
		t.Run(name, func(t *testing.T) {
			now = 0
			clock := withFallback(func() (time.Duration, error) {
				if c.fails() {
					return 0, missing
				}
				return 7000 + now, nil
			}, fallback)
			for i, at := range []time.Duration{0, 5, 9} {
				now = at
				if got := clock(); got != c.want[i] {
					t.Errorf("at %d it is %d, want %d", at, got, c.want[i])
				}
			}
		})
	}
}

func TestThePortableClockAdvancesAndNeverGoesBack(t *testing.T) {
	clock := portable()
	began := time.Now() // before the clock is read: a pause between the two is in both
	before := clock()
	time.Sleep(20 * time.Millisecond)
	passed := clock() - before
	if real := time.Since(began); passed < 20*time.Millisecond ||
		passed > real+10*time.Millisecond {
		t.Errorf("%v passed, the clock says %v", real, passed)
	}
}
