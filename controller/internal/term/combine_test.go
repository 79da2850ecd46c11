// SPDX-License-Identifier: Apache-2.0

package term

import (
	"testing"
	"time"
)

func TestC14OfTwoClocksTheOneThatGoesOnByMoreCountsBetweenTwoReadings(t *testing.T) {
	type reading struct{ one, other, want time.Duration }
	for name, readings := range map[string][]reading{
		"both go on":                             {{1, 1, 1}, {2, 2, 2}},
		"one stands still":                       {{0, 5, 5}, {1, 6, 6}, {2, 7, 7}},
		"the other is set back":                  {{1, -60, 1}, {2, -59, 2}, {3, -58, 3}},
		"the other is set ahead, and right":      {{1, 61, 61}, {2, 62, 62}, {3, 3, 63}, {4, 4, 64}, {5, 5, 65}},
		"one stands still and the other is set":  {{1, 1, 1}, {1, 61, 61}, {2, 2, 62}, {2, 12, 72}},
		"neither ever goes back":                 {{5, 5, 5}, {4, 4, 5}, {5, 5, 6}},
		"set right while the first stood still ": {{1, 61, 61}, {1, 31, 61}, {2, 32, 62}},
	} {
		t.Run(name, func(t *testing.T) {
			now := reading{one: 1000, other: 5000} // neither begins at 0
			clock := combine(func() (one, other time.Duration) { return now.one, now.other })
			for i, r := range readings {
				now = reading{one: 1000 + r.one, other: 5000 + r.other}
				if got := clock(); got != r.want {
					t.Errorf("reading %d is %v, want %v", i, got, r.want)
				}
			}
		})
	}
}
