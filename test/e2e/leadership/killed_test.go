// SPDX-License-Identifier: Apache-2.0

package leadership_test

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lanyard-k8s/lanyard/test/e2e/leadership/writer"
)

func TestC16AfterAKilledLeaderAnotherLeadsWhenTheLeaseHasExpired(t *testing.T) {
	t.Parallel()
	const lanes, each = 2, 3
	for name, elector := range map[string]writer.Elector{
		"ours":                       writer.Framework,
		"client-go's election alone": writer.ClientGo,
		"controller-runtime":         writer.ControllerRuntime,
	} {
		var mu sync.Mutex
		var took []time.Duration
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() {
				t.Logf("%s, lease of %v: from SIGKILL until the successor had written: %s", name, short.LeaseDuration, distribution(took))
			})
			for i := range lanes {
				t.Run(fmt.Sprint(i), func(t *testing.T) {
					t.Parallel()
					for _, d := range kills(t, elector, each) {
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
func kills(t *testing.T, elector writer.Elector, rounds int) (took []time.Duration) {
	e := newEnv(t, 4, short)
	begin := func(name string) *process {
		options := e.options(name)
		options.Elector = elector
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
	if elector == writer.Framework {
		e.assertOneWriter()
	}
	return took
}
