// Package queue decides the order in which a workqueue hands out its items.
package queue

import "sync"

// fairShare is how many items are handed out before one of those that can wait has its turn, while there
// are both: they are not to starve.
const fairShare = 8

// Order is first in, first out, with two exceptions: items marked as urgent go to the front, and those
// marked as able to wait come after all others, but for a fair share. It is the storage behind client-go's
// workqueue, which calls everything but the marking under its own lock. That what nothing has happened to can
// wait for what something has happened to is controller-runtime's idea.
type Order[T comparable] struct {
	mu     sync.Mutex
	urgent map[T]struct{}
	waits  map[T]bool // those that can wait, and whether they are in later

	front []T // urgent items, last one first
	back  []T // the others
	later []T // those that can wait, and places of some that could once

	queued int // in later
	served int // since the last of later was
}

// Hasten marks an item so that it goes to the front when it is next pushed.
func (o *Order[T]) Hasten(item T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.urgent == nil {
		o.urgent = map[T]struct{}{}
	}
	o.urgent[item] = struct{}{}
}

// CanWait marks an item that is about to be added for a reason that can wait. One that is in the queue
// already keeps its place.
func (o *Order[T]) CanWait(item T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waits == nil {
		o.waits = map[T]bool{}
	}
	if _, known := o.waits[item]; !known {
		o.waits[item] = false
	}
}

// CannotWait takes the mark of CanWait back, from an item that is about to be added for a better reason. One
// that waits in the queue goes to the others.
func (o *Order[T]) CannotWait(item T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	queued, waits := o.waits[item]
	if !waits {
		return
	}
	delete(o.waits, item)
	if queued {
		o.queued--
		o.back = append(o.back, item) // its place in later is skipped
	}
}

// Touch is called for an item that is queued already; its place stays.
func (o *Order[T]) Touch(T) {}

// Push adds an item.
func (o *Order[T]) Push(item T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, urgent := o.urgent[item]
	_, waits := o.waits[item]
	switch {
	case urgent:
		delete(o.urgent, item)
		delete(o.waits, item)
		o.front = append(o.front, item)
	case waits:
		o.waits[item] = true
		o.queued++
		o.later = append(o.later, item)
	default:
		o.back = append(o.back, item)
	}
}

// Len is how many items there are.
func (o *Order[T]) Len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.front) + len(o.back) + o.queued
}

// Pop removes and returns the next item.
func (o *Order[T]) Pop() T {
	o.mu.Lock()
	defer o.mu.Unlock()
	if last := len(o.front) - 1; last >= 0 {
		var none T
		item := o.front[last]
		o.front[last] = none
		o.front = o.front[:last]
		return item
	}
	o.served++
	if o.queued > 0 && (len(o.back) == 0 || o.served > fairShare) {
		return o.popLater()
	}
	item := shift(&o.back)
	if len(o.waits) > 0 {
		delete(o.waits, item) // a mark that came while it was queued already
	}
	return item
}

func (o *Order[T]) popLater() T {
	o.served = 0
	for {
		item := shift(&o.later)
		if o.waits[item] {
			delete(o.waits, item)
			o.queued--
			return item
		}
	}
}

// shift removes the first of items, and keeps nothing of it in the array, which lives on for a while.
func shift[T any](items *[]T) T {
	var none T
	item := (*items)[0]
	(*items)[0] = none
	*items = (*items)[1:]
	return item
}
