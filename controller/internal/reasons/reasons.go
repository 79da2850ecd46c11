// SPDX-License-Identifier: Apache-2.0

// Package reasons remembers why each item is in a queue, and since when a worker could have taken
// it. The workqueue keeps neither.
package reasons

import (
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Change is what an event says of its object.
type Change uint8

// The changes. There is none without an event.
const (
	NoChange Change = iota
	Created
	Deleted
	Deleting // it has a deletion timestamp now
	Spec     // its generation has changed
	Status   // its status or metadata have changed
	Content  // something has changed, of an object without generations
)

// Trigger is the event because of which an item is in a queue.
type Trigger struct {
	Object metav1.Object // as the event has it; nil without an event. It must not be changed.
	Change Change
}

// Entry is what was added to the queue for one item since a worker last took it.
type Entry struct {
	Reason  reconcile.Reason // the first
	Ready   time.Time        // when a worker could first have taken it
	Delay   time.Duration    // that was asked for, before Ready
	Count   int              // the number of additions
	Trigger                  // of the first
}

// Memory has the entries of all items of one queue. The zero value is ready for use. It is safe for concurrent
// use.
type Memory struct {
	mu      sync.Mutex
	waiting map[reconcile.Request]Entry
	delayed map[reconcile.Request]Entry // until a worker takes them; their timer may have fired
}

// Add notes that an item is added to the queue, to be taken after delay. It must be called before
// the item is added.
func (m *Memory) Add(item reconcile.Request, reason reconcile.Reason, trigger Trigger, delay time.Duration) {
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
		entry = Entry{Reason: reason, Ready: ready, Trigger: trigger}
	}
	entry.Count++
	m.waiting[item] = entry
}

// Replace changes the reason of an item that waits.
func (m *Memory) Replace(item reconcile.Request, reason reconcile.Reason) {
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
			taken.Trigger = Trigger{}
		}
	}
	return taken
}

// Oldest returns the item that has been ready for longest, and for how long. It returns zero values
// if no item is ready.
func (m *Memory) Oldest(now time.Time) (item reconcile.Request, waited time.Duration) {
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

// Of returns what is known of an item: why it waits, and the delay that it has besides or instead.
func (m *Memory) Of(item reconcile.Request) (waiting, delayed Entry, waits, later bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	waiting, waits = m.waiting[item]
	delayed, later = m.delayed[item]
	return waiting, delayed, waits, later
}

// Each calls f for each entry. f must return at once, and must not use the memory.
func (m *Memory) Each(f func(item reconcile.Request, entry Entry, delayed bool)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for item, entry := range m.waiting {
		f(item, entry, false)
	}
	for item, entry := range m.delayed {
		f(item, entry, true)
	}
}
