// SPDX-License-Identifier: Apache-2.0

package shutdowntest

import (
	"context"
	"fmt"
	"time"
)

// awaitLimit is how long Await waits. A test that takes longer to come so far has gone wrong.
const awaitLimit = time.Minute

// Rule subjects requests to a fault. [Proxy.Add] and its like make one; all methods may be called at any
// time, from any goroutine.
type Rule struct {
	proxy    *Proxy
	match    Match
	fault    Fault
	released chan struct{}

	// These are guarded by the proxy's lock.
	removed     bool
	matched     int
	outstanding int
	met         int
}

// String is the rule in a few words.
func (r *Rule) String() string { return fmt.Sprintf("%v: %v", r.match, r.fault) }

// Matched is how many requests the rule has applied to.
func (r *Rule) Matched() int {
	r.proxy.mu.Lock()
	defer r.proxy.mu.Unlock()
	return r.matched
}

// Outstanding is how many requests are in the fault at this moment: held where the fault holds them. A
// fault that holds nothing has none. Of dials it is the number of connections.
func (r *Rule) Outstanding() int {
	r.proxy.mu.Lock()
	defer r.proxy.mu.Unlock()
	return r.outstanding
}

// AwaitOutstanding waits until at least n requests are outstanding in the fault or, where it holds
// nothing, until n have met it. The error says how many there were when ctx ended.
func (r *Rule) AwaitOutstanding(ctx context.Context, n int) error {
	for {
		r.proxy.mu.Lock()
		there, changed := r.outstanding+r.met, r.proxy.changed
		r.proxy.mu.Unlock()
		if there >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d requests are outstanding (%v): %w", there, n, r, context.Cause(ctx))
		}
	}
}

// Await is AwaitOutstanding for a minute. It fails the test when that is not enough.
func (r *Rule) Await(n int) {
	r.proxy.t.Helper()
	ctx, cancel := context.WithTimeoutCause(r.proxy.t.Context(), awaitLimit, fmt.Errorf("after %v", awaitLimit))
	defer cancel()
	if err := r.AwaitOutstanding(ctx, n); err != nil {
		r.proxy.t.Fatalf("%v\nrequests so far:\n%s", err, summary(r.proxy.Requests()))
	}
}

// Remove lets the rule apply to no further request. What it holds stays held.
func (r *Rule) Remove() {
	r.proxy.mu.Lock()
	defer r.proxy.mu.Unlock()
	r.removed = true
}

// Release removes the rule and lets go what it holds.
func (r *Rule) Release() {
	r.proxy.mu.Lock()
	defer r.proxy.mu.Unlock()
	r.removed = true
	select {
	case <-r.released:
	default:
		close(r.released)
	}
}

// hold keeps a request, or a connection, until the rule is released or limit fires. It is false when gone
// is closed first.
func (r *Rule) hold(record *Request, gone <-chan struct{}, limit <-chan time.Time) bool {
	r.enter(record)
	defer r.leave(record)
	select {
	case <-r.released:
	case <-limit:
	case <-gone:
		return false
	}
	return true
}

func (r *Rule) enter(record *Request) { r.count(record, 1) }
func (r *Rule) leave(record *Request) { r.count(record, -1) }

func (r *Rule) count(record *Request, change int) {
	r.proxy.mu.Lock()
	defer r.proxy.mu.Unlock()
	r.outstanding += change
	if record != nil {
		record.held = change > 0
	}
	r.proxy.notify()
}

// meet counts a request that met a fault which holds nothing.
func (r *Rule) meet() {
	r.proxy.mu.Lock()
	defer r.proxy.mu.Unlock()
	r.met++
	r.proxy.notify()
}

func (r *Rule) isRemoved() bool {
	r.proxy.mu.Lock()
	defer r.proxy.mu.Unlock()
	return r.removed
}

// accepts counts a match. The lock is held.
func (r *Rule) accepts(t Target, userAgent string) bool {
	if r.removed || r.fault.dials() || !r.match.matches(t, userAgent) || r.match.First > 0 && r.matched >= r.match.First {
		return false
	}
	r.matched++
	return true
}
