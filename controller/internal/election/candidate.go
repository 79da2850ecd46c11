// SPDX-License-Identifier: Apache-2.0

package election

import (
	"sync"

	"k8s.io/apimachinery/pkg/util/uuid"
)

// Candidate is a process that wants to lead, or leads, by holding one Lease. Make it with [New].
// [Candidate.Campaign] must not be called while another call of it runs or while its last [Renewal]
// goes on; everything else may be called from several goroutines at once.
type Candidate struct {
	config   Config
	owner    owner
	requests requests
	state    *state
	follower *follower

	mu      sync.Mutex
	attempt *attempt // the last one; nil before the first
}

// New returns a candidate, which does nothing yet.
func New(config Config) *Candidate {
	o := owner{identity: config.Identity, process: string(uuid.NewUUID()), home: config.Home}
	s := newState()
	return &Candidate{
		config:   config,
		owner:    o,
		requests: requests{config: config},
		state:    s,
		follower: &follower{prover: prover{owner: o, witness: config.Witness}, ended: s.retryNow},
	}
}

// Follower returns a follower, which follows nothing yet. ended is called once for each holder whose end has
// become known.
func (c *Candidate) Follower(ended func()) *Follower {
	f := &follower{prover: c.follower.prover, ended: ended}
	f.begin()
	return &Follower{f}
}

// Process returns the value by which the lease tells this candidate from others of its identity.
func (c *Candidate) Process() string { return c.owner.process }

func (c *Candidate) setAttempt(a *attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attempt = a
}

// lastAttempt returns the attempt that goes on or was the last, nil before the first.
func (c *Candidate) lastAttempt() *attempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.attempt
}
