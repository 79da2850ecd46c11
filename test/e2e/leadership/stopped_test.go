// SPDX-License-Identifier: Apache-2.0

package leadership_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
)

const (
	pairs  = 4 // that are stopped at the same time
	rounds = 5 // for each
)

func TestC14AReplicaThatWasStoppedForLongerThanItsLeaseWritesNothingOnceAnotherHasIt(t *testing.T) {
	t.Parallel()
	stopRounds(t, "the client's side alone", func(e *env, _ string) *rest.Config { return plane.Config() })
}

func TestC14AndC18WithTheFenceOnBothSidesNothingIsWrittenEither(t *testing.T) {
	t.Parallel()
	stopRounds(t, "both sides", func(e *env, pod string) *rest.Config { return e.fenced(pod) })
}

// stopRounds stops leaders of several pairs, for several rounds each. In every second pair a replica that has
// lost its leadership exits, and is started again.
func stopRounds(t *testing.T, sides string, config func(e *env, pod string) *rest.Config) {
	var mu sync.Mutex
	ends := map[string]int{}
	t.Cleanup(func() { t.Logf("%s: %d rounds; the terms ended as %v", sides, pairs*rounds, ends) })
	for i := range pairs {
		t.Run(fmt.Sprintf("pair %d", i), func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, 10, short)
			e.election.ExitOnLoss = i%2 == 1
			var p pair
			for j, pod := range []string{"a", "b"} {
				credentials := config(e, pod) // first: the fence has a lease of its own name
				options := e.options(pod)
				options.Stubborn = true
				p[j] = e.start(credentials, options)
			}
			for range rounds {
				old, how := p.stopped()
				mu.Lock()
				ends[how]++
				mu.Unlock()
				if e.election.ExitOnLoss {
					p.replace(old)
				}
			}
			// Those that were stopped have led again since, without a restart: the same two did all rounds.
			all := e.assertOneWriter()
			if taken := countTaken(all); taken < rounds {
				t.Errorf("another took the lease %d times in %d rounds", taken, rounds)
			}
		})
	}
}

// replace waits for the end of a replica that does not lead any more, and starts it again.
func (p *pair) replace(old *process) {
	e := old.env
	e.Helper()
	old.await("exits", old.isGone)
	const want = "this process ends because it does not lead any more"
	if code := old.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(old.errors.String(), want) {
		e.Errorf("it exited with %d and does not say %q", code, want)
	}
	for i := range p {
		if p[i] == old {
			p[i] = old.again()
		}
	}
}

func countTaken(all []*tenure) (n int) {
	for _, t := range all {
		if t.taken {
			n++
		}
	}
	return n
}
