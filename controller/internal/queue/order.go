// Package queue decides the order in which a workqueue hands out its items.
package queue

import "sync"

// fairShare is how many items are handed out before one of those that can wait has its turn, while there
// are both: they are not to starve.
const fairShare = 8

// Order is first in, first out, with two exceptions: items marked as urgent go to the front, and those
// added as able to wait come after all others, but for a fair share. It is the storage behind client-go's
// workqueue, which calls everything but Hasten, AddLater and CannotWait under its own lock. That what nothing has happened to can
// wait for what something has happened to is controller-runtime's idea.
type Order[T comparable] struct {
	adding sync.Mutex // held while an item is added that can wait

	mu     sync.Mutex
	urgent map[T]struct{}
	waits  map[T]int // those in later that can still wait, with their places; nil: all of them
	mark   T         // the item that is being added and can wait
	marked bool

	front []T // urgent items, last one first
	back  []T // the others
	later []T // those that can wait and, where waits tells them apart, places of some that could once

	served int // since the last of later was
	place  int // of the first of later, counted on from item to item
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

// AddLater adds an item to the queue, by its function add, for a reason that can wait. One that is in the queue
// already keeps its place; one that is being worked on comes back among those that cannot wait.
func (o *Order[T]) AddLater(add func(T), item T) {
	o.adding.Lock()
	defer o.adding.Unlock()
	o.setMark(item, true)
	add(item)
	o.setMark(item, false)
}

func (o *Order[T]) setMark(item T, marked bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mark, o.marked = item, marked
}

// CannotWait is called for an item that is about to be added for a reason that cannot wait. If it waits in the
// queue it goes to the others.
func (o *Order[T]) CannotWait(item T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.later) == 0 {
		return
	}
	if o.waits == nil { // only now, because at a start with very many objects hardly any changes before it is taken
		o.waits = make(map[T]int, len(o.later))
		for i, later := range o.later {
			o.waits[later] = o.place + i
		}
	}
	if _, waits := o.waits[item]; waits {
		o.stopWaiting(item)
		o.back = append(o.back, item) // its place in later is skipped
	}
}

func (o *Order[T]) stopWaiting(item T) {
	if delete(o.waits, item); len(o.waits) == 0 {
		o.waits, o.later = nil, nil // what is left there are places
	}
}

// Touch is called for an item that is queued already; its place stays.
func (o *Order[T]) Touch(T) {}

// Push adds an item.
func (o *Order[T]) Push(item T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, urgent := o.urgent[item]
	switch {
	case urgent:
		delete(o.urgent, item)
		o.front = append(o.front, item)
	case o.marked && o.mark == item:
		if o.waits != nil {
			o.waits[item] = o.place + len(o.later)
		}
		o.later = append(o.later, item)
	default:
		o.back = append(o.back, item)
	}
}

// Len is how many items there are.
func (o *Order[T]) Len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.front) + len(o.back) + o.waiting()
}

// waiting is how many can still wait.
func (o *Order[T]) waiting() int {
	if o.waits == nil {
		return len(o.later)
	}
	return len(o.waits)
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
	if o.waiting() > 0 && (len(o.back) == 0 || o.served > fairShare) {
		return o.popLater()
	}
	return shift(&o.back)
}

func (o *Order[T]) popLater() T {
	o.served = 0
	for {
		item, place := shift(&o.later), o.place
		o.place++
		if o.waits == nil {
			return item
		}
		if at, waits := o.waits[item]; waits && at == place {
			o.stopWaiting(item)
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
