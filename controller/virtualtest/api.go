// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"context"
	"slices"
	"sync"
	"time"
)

// API is an API server in memory. Its methods may be called from several goroutines. [NewAPI] makes one.
type API struct {
	t      T
	served served
	store  *store

	before, after hooks

	mu    sync.Mutex
	calls []Call
}

// NewAPI makes an API that serves the kinds of client-go and these resources. It has no objects. Call it inside
// the bubble of the test.
func NewAPI(t T, resources ...Resource) *API {
	t.Helper()
	all, err := newServed(resources)
	if err != nil {
		t.Fatalf("virtualtest.NewAPI: %v", err)
	}
	return &API{t: t, served: all, store: newStore()}
}

// Before has a hook called before a call does anything, until remove is called. A call that fails then has
// done nothing.
func (a *API) Before(hook Hook) (remove func()) { return a.before.add(hook) }

// After has a hook called when a call has been done and before it is answered, until remove is called. A
// write that fails then has been done, and the client does not know.
func (a *API) After(hook Hook) (remove func()) { return a.after.add(hook) }

// Delay makes each call for which match returns true take d longer before it does anything, until remove is
// called. A nil match means all calls. The events of a watch are not delayed.
func (a *API) Delay(d time.Duration, match func(Call) bool) (remove func()) {
	return a.before.add(waits(d, match))
}

// Calls returns the calls so far, in the order in which they came, without those of the methods of API.
func (a *API) Calls() []Call {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.calls)
}

// ForgetCalls makes Calls start anew.
func (a *API) ForgetCalls() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = nil
}

// EndWatches ends all watches that are open, as a restart of a real API server does. Clients watch again.
func (a *API) EndWatches() { a.store.cutWatches() }

// Compact drops the past: a watch that begins at a resourceVersion from before is told that it is gone (410).
// Watches that are open go on.
func (a *API) Compact() { a.store.forget() }

// CollectGarbage has the API delete, from now on and at once, what a cluster's garbage collector deletes a moment
// later: objects all of whose owners are gone. Deletions in the foreground, and those that orphan, end as they do
// there.
func (a *API) CollectGarbage() {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	a.store.garbage = true
	collect(a.served, a.store)
}

func (a *API) note(ctx context.Context, c Call) error {
	a.mu.Lock()
	a.calls = append(a.calls, c)
	a.mu.Unlock()
	return a.before.call(ctx, c)
}
