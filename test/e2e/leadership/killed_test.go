// SPDX-License-Identifier: Apache-2.0

package leadership_test

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestC16AfterAKilledLeaderAnotherLeadsWhenTheLeaseHasExpired(t *testing.T) {
	t.Parallel()
	const lanes, each = 2, 3
	for _, plain := range []bool{false, true} {
		var mu sync.Mutex
		var took []time.Duration
		name := map[bool]string{false: "ours", true: "client-go's election alone"}[plain]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() {
				t.Logf("%s, lease of %v: from SIGKILL until the successor had written: %s", name, short.LeaseDuration, distribution(took))
			})
			for i := range lanes {
				t.Run(fmt.Sprint(i), func(t *testing.T) {
					t.Parallel()
					for _, d := range kills(t, plain, each) {
						mu.Lock()
						took = append(took, d)
						mu.Unlock()
						if limit := short.LeaseDuration + 30*time.Second; d > limit {
							t.Errorf("that took %v, more than %v", d, limit)
						}
					}
				})
			}
		})
	}
}

// kills ends leaders by SIGKILL, one after the other, and returns how long it took until another had written.
func kills(t *testing.T, plain bool, rounds int) (took []time.Duration) {
	e := newEnv(t, 4, short)
	begin := func(name string) *process {
		options := e.options(name)
		options.Plain = plain
		return e.start(plane.Config(), options)
	}
	leader := begin("r0")
	leader.await("leads", leader.writing)
	for round := range rounds {
		next := begin(fmt.Sprintf("r%d", round+1))
		next.await("is ready", next.isReady)
		at := time.Now()
		leader.signal(syscall.SIGKILL)
		next.await("writes", next.writing)
		took = append(took, next.last("wrote").Sub(at))
		leader = next
	}
	if !plain {
		e.assertOneWriter()
	}
	return took
}
