// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"sync"
	"time"
)

// activity knows for how long nothing has happened between a program and its API server. That is counted in ticks, and
// not by the clock: on a machine that is busy the ticks come late, as does all that the program does.
type activity struct {
	mu          sync.Mutex
	outstanding int // calls, other than watches
	quiet       time.Duration
	until       time.Time     // a client waits until then, as it was told to
	clock       time.Duration // of all ticks
}

const (
	tick     = 2 * time.Millisecond
	tickMost = 2 * tick // that a tick counts for, however late it comes
)

func (a *activity) begin() { a.change(1) }
func (a *activity) end()   { a.change(-1) }
func (a *activity) touch() { a.change(0) } // something has happened

func (a *activity) change(outstanding int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.outstanding += outstanding
	a.quiet = 0
}

// expect notes that nothing may happen for a time although there is something to do.
func (a *activity) expect(wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if end := time.Now().Add(wait); end.After(a.until) {
		a.until = end
	}
}

// passed notes that time has passed.
func (a *activity) passed(elapsed time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clock += min(elapsed, tickMost)
	if a.outstanding > 0 || time.Now().Before(a.until) {
		a.quiet = 0
		return
	}
	a.quiet += min(elapsed, tickMost)
}

// idle is for how long nothing has happened; 0 while a call is outstanding.
func (a *activity) idle() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.quiet
}

// now is the time that has passed, in ticks.
func (a *activity) now() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.clock
}
