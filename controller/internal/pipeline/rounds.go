// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"sync"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// rounds counts the reconciles of each item in a session that is over when each item has had a number of
// them: a dry run. Nil counts nothing. It is safe for concurrent use.
type rounds struct {
	limit    int
	complete func() // is called once, when the session is over

	mu     sync.Mutex
	had    map[reconcile.Request]int
	open   int  // the number of items that are to be reconciled yet
	filled bool // the sources have told of all that there is
	told   bool
}

func newRounds(config *Config) *rounds {
	if config.Rounds == 0 {
		return nil
	}
	return &rounds{limit: config.Rounds, complete: config.Complete, had: map[reconcile.Request]int{}}
}

// added notes that items are added to the queue.
func (r *rounds) added(requests []reconcile.Request) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, request := range requests {
		if _, known := r.had[request]; !known {
			r.had[request] = 0
			r.open++
		}
	}
}

// takes reports whether an item is to be reconciled.
func (r *rounds) takes(request reconcile.Request) bool {
	if r == nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.had[request] < r.limit
}

// count notes a reconcile, and reports whether the item is to be reconciled again.
func (r *rounds) count(request reconcile.Request) (again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.had[request]++
	return r.had[request] < r.limit
}

// ended is told that an item is not reconciled any more by a worker.
func (r *rounds) ended(request reconcile.Request) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.had[request] == r.limit {
		r.open--
	}
	r.check()
}

// fill notes that the sources have told of all that there is.
func (r *rounds) fill() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.filled = true
	r.check()
}

func (r *rounds) check() {
	if r.filled && r.open == 0 && !r.told {
		r.told = true
		r.complete()
	}
}
