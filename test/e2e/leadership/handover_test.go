// SPDX-License-Identifier: Apache-2.0

package leadership_test

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lanyard-k8s/lanyard/controller"
)

// long are times that a hand-over would show if it depended on them.
var long = controller.LeaderElection{LeaseDuration: 60 * time.Second, RenewDeadline: 40 * time.Second, RetryPeriod: 20 * time.Second, Name: "lead"}

func TestC16AStandByIsWarmAndWritesWithinRoundTripsOfTheLeadersSIGTERM(t *testing.T) {
	const lanes, each = 3, 10 // before the other tests, for what it measures
	var mu sync.Mutex
	var toWrite, toLead []time.Duration
	t.Cleanup(func() {
		t.Logf("from SIGTERM until the successor held the lease: %s", distribution(toLead))
		t.Logf("from SIGTERM until its first write had been received: %s", distribution(toWrite))
	})
	for i := range lanes {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, 4, long)
			leader := e.start(plane.Config(), e.options("r0"))
			leader.await("leads", leader.writing)
			for round := range each {
				next := e.start(plane.Config(), e.options(fmt.Sprintf("r%d", round+1)))
				e.awaitStandBy(next)
				at := time.Now()
				leader.signal(syscall.SIGTERM)
				next.await("writes", next.writing)
				lead, write := e.firsts(next, at)
				mu.Lock()
				toLead, toWrite = append(toLead, lead), append(toWrite, write)
				mu.Unlock()
				if write > e.election.RetryPeriod/2 {
					t.Errorf("the successor wrote %v after the signal: that was a retry, not the hand-over", write)
				}
				leader.await("is gone", leader.isGone)
				if code := leader.cmd.ProcessState.ExitCode(); code != 0 {
					t.Errorf("the old leader exited with %d", code)
				}
				leader = next
			}
			if taken := countTaken(e.assertOneWriter()); taken != 0 {
				t.Errorf("%d of %d hand-overs were no release", taken, each)
			}
		})
	}
}

// awaitStandBy waits until the caches of a stand-by are full and it watches the lease.
func (e *env) awaitStandBy(p *process) {
	e.Helper()
	p.await("is ready", p.isReady)
	p.await("watches the lease", func() bool { return e.watching(p.options.Agent) })
}

// firsts is when the API server received the request with which a replica took the lease, and its first
// write in that term. Between the signal and the write it must not have listed anything.
func (e *env) firsts(p *process, signal time.Time) (lead, write time.Duration) {
	e.Helper()
	requests := e.audit()
	for _, a := range requests {
		after := a.Received.Sub(signal)
		switch {
		case a.UserAgent != p.options.Agent || after < 0:
		case a.Object.Resource == "leases" && a.succeededWrite() && lead == 0:
			lead = after
		case a.Object.Resource != "leases" && a.succeededWrite() && (write == 0 || after < write):
			write = after
		}
	}
	for _, a := range requests {
		if after := a.Received.Sub(signal); a.UserAgent == p.options.Agent && a.lists() && after > 0 && after <= write {
			e.Errorf("a list at the hand-over, although the stand-by was warm: %v", a)
		}
	}
	return lead, write
}
