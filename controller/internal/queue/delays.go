// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"sync"
	"time"
)

// Delays has the items that are to be added to a queue later, each at one time. It stands in place
// of client-go's delaying queue, which cannot take a delay back: of two delays of an item it keeps
// the shorter one, and it adds the item after that, whatever has happened meanwhile. A delay that is
// taken back leaves nothing in memory. It is safe for concurrent use.
type Delays[T comparable] struct {
	add func(T)

	mu      sync.Mutex
	timers  map[T]*Delay
	stopped bool
	armed   sync.WaitGroup // a count for each timer that has not stopped or returned
}

// Delay is one delay of an item. The zero value is ready for use.
type Delay struct {
	timer *time.Timer
	over  time.Time
	ended bool // before it was set
}

// NewDelays returns delays after which add is called, on a goroutine of its own.
func NewDelays[T comparable](add func(T)) *Delays[T] {
	return &Delays[T]{add: add, timers: map[T]*Delay{}}
}

// Set lets an item be added after a time. It replaces the item's earlier delay.
func (d *Delays[T]) Set(item T, after time.Duration) { d.SetDelay(item, &Delay{}, after) }

// SetDelay is Set with a delay that [Delays.Hasten] can end.
func (d *Delays[T]) SetDelay(item T, set *Delay, after time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return
	}
	d.cancel(item)
	if set.ended {
		after = 0
	}
	d.timers[item] = set
	set.over = time.Now().Add(after)
	d.armed.Add(1)
	set.timer = time.AfterFunc(after, func() { d.over(item, set) })
}

// Hasten adds an item now, if the given delay is still the item's. A delay that has not been set yet ends
// when it is set.
func (d *Delays[T]) Hasten(item T, set *Delay) {
	d.mu.Lock()
	defer d.mu.Unlock()
	set.ended = true
	if d.timers[item] == set {
		if set.timer.Stop() { // otherwise its function runs already
			set.timer.Reset(0)
		}
	}
}

// Cancel takes the delay of an item back, if there is one.
func (d *Delays[T]) Cancel(item T) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cancel(item)
}

// Over returns when the delay of an item is over, if it has one.
func (d *Delays[T]) Over(item T) (at time.Time, delayed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	set := d.timers[item]
	if set == nil {
		return time.Time{}, false
	}
	return set.over, true
}

// All returns when the delay of each item is over.
func (d *Delays[T]) All() map[T]time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make(map[T]time.Time, len(d.timers))
	for item, set := range d.timers {
		all[item] = set.over
	}
	return all
}

// Len returns the number of items that are to be added.
func (d *Delays[T]) Len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.timers)
}

// Stop takes all delays back. After it has returned, nothing is added any more.
func (d *Delays[T]) Stop() {
	d.mu.Lock()
	d.stopped = true
	for item := range d.timers {
		d.cancel(item)
	}
	d.mu.Unlock()
	d.armed.Wait()
}

func (d *Delays[T]) cancel(item T) {
	set := d.timers[item]
	if set == nil {
		return
	}
	delete(d.timers, item)
	if set.timer.Stop() {
		d.armed.Done()
	}
}

// over adds an item, unless its delay was taken back or replaced in the same moment.
func (d *Delays[T]) over(item T, set *Delay) {
	defer d.armed.Done()
	d.mu.Lock()
	current := d.timers[item] == set
	if current {
		delete(d.timers, item)
	}
	d.mu.Unlock()
	if current {
		d.add(item)
	}
}
