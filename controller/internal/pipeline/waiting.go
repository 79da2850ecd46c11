// SPDX-License-Identifier: Apache-2.0

package pipeline

import "sync"

// waiting is what a session waits for before it starts. The zero value waits for nothing. It is safe
// for concurrent use.
type waiting struct {
	mu      sync.Mutex
	caches  []Cache
	feeds   []Feed
	overdue bool
	told    bool // a wait was overdue since the last start
}

func (w *waiting) set(caches []Cache, feeds []Feed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.caches = caches
	w.feeds = feeds
}

func (w *waiting) isOverdue() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.overdue = true
	w.told = true
}

func (w *waiting) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.caches = nil
	w.feeds = nil
	w.overdue = false
}

func (w *waiting) now() (caches []Cache, feeds []Feed, overdue bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.caches, w.feeds, w.overdue
}

// levelOfStart is the verbosity with which a start is logged: 0 after it was told to be overdue.
func (w *waiting) levelOfStart() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	level := 1
	if w.told {
		level = 0
	}
	w.told = false
	return level
}
