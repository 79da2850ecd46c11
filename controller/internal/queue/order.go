// SPDX-License-Identifier: Apache-2.0

// Package queue has the order of the items of a workqueue, and the items that come into it later.
package queue

import "sync"

// fairShare is the number of items that are handed out before one with low priority, while there
// are both. Otherwise those with low priority could starve.
const fairShare = 8

// Order hands out items first in, first out, with two exceptions: items from [Order.Prioritize]
// come first, and those from [Order.AddLowPriority] come after all others, except for a fair share.
// It is the storage behind client-go's workqueue, which calls Touch, Push, Len and Pop under its
// own lock. The zero value is ready for use.
//
// As in controller-runtime's priority queue, objects from the initial list and from resyncs have
// lower priority than changed objects. There may be very many of them, so nothing is kept about
// each of them; only about the others, while there are both.
type Order[T comparable] struct {
	adding sync.Mutex // held while an item with low priority is added

	mu     sync.Mutex
	urgent map[T]struct{}
	mark   T // the item with low priority that is being added
	marked bool

	front []T // prioritized items, last one first
	back  []T // the others
	later []T // items with low priority, and stale places of some that had it

	ahead map[T]struct{} // the items in front and back, while something is in later
	stale map[T]int      // the number of an item's stale places in later; they come before its real one
	total int            // the number of all stale places in later

	served int // the number of items handed out since the last one of later
}

// Prioritize marks an item: when it is next pushed, it goes to the front.
func (o *Order[T]) Prioritize(item T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.urgent == nil {
		o.urgent = map[T]struct{}{}
	}
	o.urgent[item] = struct{}{}
}

// AddLowPriority adds an item with low priority to the queue, through the queue's function add. An
// item that is in the queue keeps its place. An item that a worker has comes back with normal
// priority.
func (o *Order[T]) AddLowPriority(add func(T), item T) {
	o.adding.Lock()
	defer o.adding.Unlock()
	o.setMark(item, true)
	add(item)
	o.setMark(item, false)
}

func (o *Order[T]) setMark(item T, marked bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mark = item
	o.marked = marked
}

// Touch is called for an item that is in the queue and is added again. If it had low priority and
// now has normal priority, it moves to the others. Otherwise it keeps its place.
func (o *Order[T]) Touch(item T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.marked && o.mark == item || o.waiting() == 0 {
		return
	}
	if _, is := o.ahead[item]; is {
		return
	}
	if o.stale == nil {
		o.stale = map[T]int{}
	}
	o.stale[item]++
	o.total++
	o.push(&o.back, item)
	o.forget()
}

// Push adds an item.
func (o *Order[T]) Push(item T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, urgent := o.urgent[item]
	switch {
	case urgent:
		delete(o.urgent, item)
		o.push(&o.front, item)
	case o.marked && o.mark == item:
		if o.later = append(o.later, item); len(o.later) == 1 {
			o.setAhead(o.front...)
			o.setAhead(o.back...)
		}
	default:
		o.push(&o.back, item)
	}
}

// push adds an item to those that come before low priority.
func (o *Order[T]) push(items *[]T, item T) {
	*items = append(*items, item)
	if len(o.later) > 0 {
		o.setAhead(item)
	}
}

func (o *Order[T]) setAhead(items ...T) {
	if o.ahead == nil && len(items) > 0 {
		o.ahead = map[T]struct{}{}
	}
	for _, item := range items {
		o.ahead[item] = struct{}{}
	}
}

// Len returns the number of items.
func (o *Order[T]) Len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.front) + len(o.back) + o.waiting()
}

// waiting returns the number of items with low priority.
func (o *Order[T]) waiting() int { return len(o.later) - o.total }

// Pop removes and returns the next item.
func (o *Order[T]) Pop() (item T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if last := len(o.front) - 1; last >= 0 {
		var none T
		item = o.front[last]
		o.front[last] = none
		o.front = o.front[:last]
		delete(o.ahead, item)
		return item
	}
	o.served++
	if o.waiting() > 0 && (len(o.back) == 0 || o.served > fairShare) {
		return o.popLater()
	}
	item = shift(&o.back)
	delete(o.ahead, item)
	return item
}

func (o *Order[T]) popLater() (item T) {
	o.served = 0
	for {
		item = shift(&o.later)
		if o.stale[item] == 0 {
			break
		}
		o.total--
		if o.stale[item]--; o.stale[item] == 0 {
			delete(o.stale, item)
		}
	}
	o.forget()
	return item
}

// forget drops what is kept while there are both, once no item with low priority is left.
func (o *Order[T]) forget() {
	if o.waiting() > 0 {
		return
	}
	o.later = nil
	o.total = 0
	if len(o.ahead)+len(o.stale) > 0 {
		o.ahead = nil
		o.stale = nil
	}
}

// shift removes the first item. It clears its place, because the array lives on for a while.
func shift[T any](items *[]T) T {
	var none T
	item := (*items)[0]
	(*items)[0] = none
	*items = (*items)[1:]
	return item
}
