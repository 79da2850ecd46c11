// SPDX-License-Identifier: Apache-2.0

package work

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// Outstanding is an API call that has begun and has not ended.
type Outstanding struct {
	report.Call
	Start time.Time
	Phase Phase
}

// Phase is how far a call has come.
type Phase uint8

// The phases of a call.
const (
	Unsent  Phase = iota // it waits for a connection, or is being prepared
	Sent                 // it was sent, and the answer has not begun
	Held                 // the server's fence has refused it, and it is sent again
	Reading              // the answer has begun
)

// Cost is what a unit has asked of the API server.
type Cost struct {
	Calls  int // attempts at calls
	Writes int // attempts at calls that are not reads
}

// ledger keeps account of a unit's API calls. It is safe for concurrent use.
type ledger struct {
	heard atomic.Int64 // when the API server last sent something, in Unix nanoseconds

	mu          sync.Mutex
	outstanding []*Outstanding
	interrupted []Outstanding // ended because their contexts did
	paused      time.Time     // until when the next attempt at a call waits
	account
}

// CallBegan notes that a call has begun. CallEnded must follow.
func (l *ledger) CallBegan(c *Outstanding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outstanding = append(l.outstanding, c)
	l.count(c)
}

// CallWillBegin notes that a call waits for the client-side rate limiter, before anything else of it
// is known. CallEnded must follow when the wait is over.
func (l *ledger) CallWillBegin(c *Outstanding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outstanding = append(l.outstanding, c)
}

// CallRepeated notes another attempt at a call that has begun.
func (l *ledger) CallRepeated(c *Outstanding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count(c)
}

func (l *ledger) count(c *Outstanding) { l.of(&c.Call).Attempts++ }

// CallWaits notes whether a call is waiting for room on a connection. A call that ends while it
// waits keeps that mark: it was never sent.
func (l *ledger) CallWaits(c *Outstanding, waiting bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.Waiting = waiting
}

// CallReached notes how far a call has come.
func (l *ledger) CallReached(c *Outstanding, phase Phase) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.Phase = phase
}

// CallEnded notes that a call has ended, and what it has moved; interrupted reports whether it did because
// its context ended. Only the first CallEnded of a call counts.
func (l *ledger) CallEnded(c *Outstanding, moved Traffic, interrupted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.outstanding, c)
	if i < 0 {
		return
	}
	l.outstanding = slices.Delete(l.outstanding, i, i+1)
	if moved != (Traffic{}) {
		of := l.of(&c.Call)
		of.Sent += moved.Sent
		of.Received += moved.Received
		of.OnWire += moved.OnWire
	}
	if interrupted {
		l.interrupted = append(l.interrupted, *c)
	}
}

// Interrupted returns the calls that ended because their contexts did.
func (l *ledger) Interrupted() []Outstanding {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.interrupted)
}

// Outstanding returns the calls that have not ended, oldest first.
func (l *ledger) Outstanding() []Outstanding {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := make([]Outstanding, len(l.outstanding))
	for i, c := range l.outstanding {
		calls[i] = *c
	}
	return calls
}

// Cost returns what the unit has asked of the API server so far.
func (l *ledger) Cost() Cost {
	l.mu.Lock()
	defer l.mu.Unlock()
	var cost Cost
	for i := range l.rows {
		cost.Calls += l.rows[i].Attempts
		if !apicall.ReadOnly(&report.Call{Verb: l.rows[i].Verb, Resource: l.rows[i].Resource}) {
			cost.Writes += l.rows[i].Attempts
		}
	}
	return cost
}

// Heard notes that the API server has sent something.
func (l *ledger) Heard() { l.heard.Store(time.Now().UnixNano()) }

// LastHeard returns when the API server last sent something, or the zero time.
func (l *ledger) LastHeard() time.Time {
	if at := l.heard.Load(); at > 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// Throttled notes that a call of the unit was held back.
func (l *ledger) Throttled(wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.throttled += wait
}

// Paused notes until when client-go waits before it makes a call again.
func (l *ledger) Paused(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.paused = until
}

// PausedUntil returns until when client-go waits before it makes a call again. It has passed, or is zero,
// if nothing is known to wait.
func (l *ledger) PausedUntil() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.paused
}

// Wrote notes what became of a write, and the version that it led to.
func (l *ledger) Wrote(call *report.Call, effect Effect, version Version) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.of(call)
	switch effect {
	case Changed:
		of.Changed++
	case WithoutEffect:
		of.WithoutEffect++
	case Unknown:
		of.Unknown++
	}
	for i := range l.rows {
		if last := &l.rows[i].last; last.Collection == version.Collection && last.Name == version.Name {
			*last = Version{}
		}
	}
	of.last = version
	of.name = version.Name
	of.version = version.Version
}

// LastWrote returns the version that the last write of an object has led to, if the unit has written it and
// that is still known; else an empty string.
func (l *ledger) LastWrote(collection, name string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.rows {
		if last := &l.rows[i].last; last.Collection == collection && last.Name == name {
			return last.Version
		}
	}
	return ""
}

// Account returns what the unit has asked of the API server so far.
func (l *ledger) Account() report.Account {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := make([]report.Calls, len(l.rows))
	for i := range l.rows {
		calls[i] = l.rows[i].Calls
	}
	return report.Account{Calls: calls, Throttled: l.throttled}
}
