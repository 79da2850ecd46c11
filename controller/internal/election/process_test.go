// SPDX-License-Identifier: Apache-2.0

package election

import (
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// process is one that can be stopped: nothing of it makes progress then, while time passes. Its
// timers cannot be stopped in virtual time, but the clock that it reads meanwhile can, so that they
// find out nothing; when it goes on, that clock has jumped. It is the same for a machine that was
// suspended.
type process struct {
	number int
	rate   float64 // of its clock
	start  time.Time

	mu        sync.Mutex
	stoppedAt time.Time     // zero while it runs
	resumed   chan struct{} // closed when it goes on
	dead      bool
	onRelease func(lease *coordinationv1.Lease, read string)
}

// truth is what its clock would say if it were asked.
func (p *process) truth() time.Duration { return p.at(time.Now()) }

func (p *process) at(now time.Time) time.Duration {
	return time.Hour + time.Duration(float64(now.Sub(p.start))*p.rate)
}

// clock is what it reads.
func (p *process) clock() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stoppedAt.IsZero() {
		return p.at(p.stoppedAt)
	}
	return p.truth()
}

func (p *process) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stoppedAt.IsZero() {
		p.stoppedAt, p.resumed = time.Now(), make(chan struct{})
	}
}

func (p *process) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stoppedAt.IsZero() {
		p.stoppedAt = time.Time{}
		close(p.resumed)
	}
}

// awake blocks while the process is stopped.
func (p *process) awake() {
	for {
		p.mu.Lock()
		resumed, stopped := p.resumed, !p.stoppedAt.IsZero()
		p.mu.Unlock()
		if !stopped {
			return
		}
		<-resumed
	}
}

func (p *process) stopped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.stoppedAt.IsZero()
}

func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

func (p *process) releasing(lease *coordinationv1.Lease, read string) {
	if p.onRelease != nil && !p.isDead() {
		p.onRelease(lease, read)
	}
}

// left is how long a term of the process is really valid.
func (p *process) left(t *term.Term) time.Duration {
	if t.Err() != nil {
		return 0
	}
	p.mu.Lock()
	read := p.truth()
	if !p.stoppedAt.IsZero() {
		read = p.at(p.stoppedAt)
	}
	p.mu.Unlock()
	return t.Remaining() + read - p.truth()
}
