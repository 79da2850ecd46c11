// SPDX-License-Identifier: Apache-2.0

package bubbletest_test

import (
	"testing"
	"testing/synctest"

	"github.com/lanyard-k8s/lanyard/controller/internal/bubbletest"
)

func TestOnlyGoroutinesOfTheBubbleAreCounted(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	for range 100 {
		go func() { <-end }()
	}
	synctest.Test(t, func(t *testing.T) {
		before, inside := bubbletest.Goroutines(), make(chan struct{})
		for range 300 {
			go func() { <-inside }()
		}
		if n := bubbletest.Goroutines() - before; n != 300 || before >= 100 {
			t.Errorf("%d at first, and %d more after 300 have begun", before, n)
		}
		close(inside)
		if n := bubbletest.Goroutines(); n != before {
			t.Errorf("%d, and there were %d", n, before)
		}
	})
}
