// SPDX-License-Identifier: Apache-2.0

// Package reasons remembers why each item is in a queue, and since when a worker could have taken
// it. The workqueue keeps neither.
package reasons

import (
	"sync"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Entry is what was added to the queue for one item since a worker last took it.
type Entry struct {
	Reason reconcile.Reason // the first
	Ready  time.Time        // when a worker could first have taken it
	Delay  time.Duration    // that was asked for, before Ready
	Count  int              // the number of additions
}

// Memory has the entries of all items of one queue. The nil Memory remembers nothing, and the zero
// value is ready for use. It is safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	waiting map[reconcile.Request]Entry
	delayed map[reconcile.Request]Entry // until a worker takes them; their timer may have fired
}

// Add notes that an item is added to the queue, to be taken after delay. It must be called before
// the item is added.
func (m *Memory) Add(item reconcile.Request, reason reconcile.Reason, delay time.Duration) {
	if m == nil {
		return
	}
	ready := time.Now().Add(delay)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waiting == nil {
		m.waiting = map[reconcile.Request]Entry{}
		m.delayed = map[reconcile.Request]Entry{}
	}
	if delay > 0 {
		m.delayed[item] = Entry{Reason: reason, Ready: ready, Delay: delay, Count: 1}
		return
	}
	entry, ok := m.waiting[item]
	if !ok {
		entry = Entry{Reason: reason, Ready: ready}
	}
	entry.Count++
	m.waiting[item] = entry
}

// Replace changes the reason of an item that waits.
func (m *Memory) Replace(item reconcile.Request, reason reconcile.Reason) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if entry, ok := m.waiting[item]; ok {
		entry.Reason = reason
		m.waiting[item] = entry
	}
}

// Take returns and forgets the entry of an item that a worker takes now. A delay of the item is void
// then, so it is forgotten too. retry reports whether the item's last reconcile failed.
func (m *Memory) Take(item reconcile.Request, now time.Time, retry bool) Entry {
	if m == nil {
		return Entry{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	timer, delayed := m.delayed[item]
	taken, waiting := m.waiting[item]
	delete(m.waiting, item)
	delete(m.delayed, item)
	switch {
	case !waiting && delayed:
		return timer
	case !waiting: // its timer fired in the moment in which it was last taken
		taken = Entry{Reason: reconcile.RequeueAfter, Ready: now, Count: 1}
		if retry {
			taken.Reason = reconcile.Retry
		}
	case delayed && !timer.Ready.After(now):
		taken.Count++
		if timer.Ready.Before(taken.Ready) {
			taken.Reason = timer.Reason
			taken.Ready = timer.Ready
			taken.Delay = timer.Delay
		}
	}
	return taken
}

// Oldest returns the item that has been ready for longest, and for how long. It returns zero values
// if no item is ready.
func (m *Memory) Oldest(now time.Time) (item reconcile.Request, waited time.Duration) {
	if m == nil {
		return item, 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	// The timer of a delayed item whose time is over has fired, and no worker has taken it yet.
	for _, entries := range []map[reconcile.Request]Entry{m.waiting, m.delayed} {
		for other, entry := range entries {
			if since := now.Sub(entry.Ready); since > waited {
				item = other
				waited = since
			}
		}
	}
	return item, waited
}
