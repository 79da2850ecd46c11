// Package trigger remembers why an item is in a queue, and since when it could have been taken out, which
// the queue itself does not. It is used only where someone wants to know: for spans and metrics.
package trigger

import (
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"k8s.io/apimachinery/pkg/types"
)

// Reason is why an item was put into the queue. The set is bounded.
type Reason string

// The reasons.
const (
	ObjectChanged  Reason = "object_changed"
	RelatedChanged Reason = "related_changed"
	StartUp        Reason = "start_up"
	Resync         Reason = "resync"
	RequeueAfter   Reason = "requeue_after"
	Retry          Reason = "retry"
	Superseded     Reason = "superseded"
)

// MaxLinks is how many triggers a reconcile is linked to.
const MaxLinks = 6

// Triggers is what has been put into the queue for one item since it was last taken out.
type Triggers struct {
	noted
	Attempt Attempts // of the chain of retries that it belongs to
}

// noted is what is kept of them, in maps, which hold what is small without an allocation.
type noted struct {
	Reason Reason        // of the first
	Ready  time.Time     // when the first of them could be taken
	Delay  time.Duration // that was asked for, and does not count as waiting
	Count  int
	Links  []trace.Link
}

// Attempts is a chain of retries. It is zero before the first has ended.
type Attempts struct {
	First, Previous trace.SpanContext
}

// Memory is the triggers of all items of a controller. The zero value is ready for use.
type Memory struct {
	mu      sync.Mutex
	waiting map[types.NamespacedName]noted
	delayed map[types.NamespacedName]noted // until a timer fires, of which the queue keeps the earliest
	chains  map[types.NamespacedName]Attempts
}

// Wait is how long the item has waited until it was taken.
func (t Triggers) Wait(taken time.Time) time.Duration { return max(0, taken.Sub(t.Ready)) }

// Note notes that an item is put into the queue, to be taken after a delay.
func (m *Memory) Note(item types.NamespacedName, reason Reason, delay time.Duration, link trace.Link) {
	ready := time.Now().Add(delay)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waiting == nil {
		m.waiting, m.delayed = map[types.NamespacedName]noted{}, map[types.NamespacedName]noted{}
	}
	if delay > 0 {
		if before, ok := m.delayed[item]; !ok || ready.Before(before.Ready) {
			m.delayed[item] = noted{Reason: reason, Ready: ready, Delay: delay, Count: 1}
		}
		return
	}
	t, ok := m.waiting[item]
	if !ok {
		t = noted{Reason: reason, Ready: ready}
	}
	t.Count++
	if link.SpanContext.IsValid() && len(t.Links) < MaxLinks && !slices.ContainsFunc(t.Links, func(l trace.Link) bool {
		return l.SpanContext.Equal(link.SpanContext)
	}) {
		t.Links = append(t.Links, link)
	}
	m.waiting[item] = t
}

// Superseded notes that an item is in the queue because the change that put it there ended its reconcile.
func (m *Memory) Superseded(item types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t, ok := m.waiting[item]; ok {
		t.Reason = Superseded
		m.waiting[item] = t
	}
}

// Take returns what was noted, for the item that is taken out of the queue now. What a timer is still to bring
// stays, where something else was faster.
func (m *Memory) Take(item types.NamespacedName) Triggers {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	timer, delayed := m.delayed[item]
	var taken Triggers
	switch t, ok := m.waiting[item]; {
	case !ok && delayed:
		taken.noted = timer
		delete(m.delayed, item)
	case !ok: // a timer that was about to fire when the item was last taken
		taken.noted = noted{Reason: RequeueAfter, Ready: now, Count: 1}
		if m.chains[item].First.IsValid() {
			taken.Reason = Retry
		}
	default:
		taken.noted = t
		if delayed && !timer.Ready.After(now) {
			taken.Count++
			if timer.Ready.Before(taken.Ready) {
				taken.Reason, taken.Ready, taken.Delay = timer.Reason, timer.Ready, timer.Delay
			}
			delete(m.delayed, item)
		}
	}
	delete(m.waiting, item)
	taken.Attempt = m.chains[item]
	return taken
}

// Attempted notes that a try has failed, and will be followed by another.
func (m *Memory) Attempted(item types.NamespacedName, span trace.SpanContext) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.chains == nil {
		m.chains = map[types.NamespacedName]Attempts{}
	}
	chain := m.chains[item]
	if !chain.First.IsValid() {
		chain.First = span
	}
	chain.Previous = span
	m.chains[item] = chain
}

// Settled notes that the chain of tries is over.
func (m *Memory) Settled(item types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.chains, item)
}

// Oldest is since when the item could have been taken that has waited longest; false when none waits.
func (m *Memory) Oldest(now time.Time) (time.Time, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	oldest := now
	for _, t := range m.waiting {
		if t.Ready.Before(oldest) {
			oldest = t.Ready
		}
	}
	for _, t := range m.delayed {
		if t.Ready.Before(oldest) {
			oldest = t.Ready // it has come out of the timer, but not out of the queue
		}
	}
	return oldest, oldest.Before(now)
}

// Clear forgets everything: what was queued in one term waits for nobody after it, and is not handed out in the next.
func (m *Memory) Clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting, m.delayed, m.chains = nil, nil, nil
}
