// Package queue decides the order in which a workqueue hands out its items.
package queue

import "sync"

// fairShare is how many items are handed out before one of those that can wait has its turn, while there
// are both: they are not to starve.
const fairShare = 8

// Order is first in, first out, with two exceptions: items marked as urgent go to the front, and those
// added as able to wait come after all others, but for a fair share. It is the storage behind client-go's
// workqueue, which calls everything but Hasten and AddLater under its own lock. That what nothing has happened to can
// wait for what something has happened to is controller-runtime's idea.
//
// What can wait are the objects of a cache at its start, which may be very many; so nothing is kept about each of them,
// only about the others, while there are both.
type Order[T comparable] struct {
	adding sync.Mutex // held while an item is added that can wait

	mu     sync.Mutex
	urgent map[T]struct{}
	mark   T // the item that is being added and can wait
	marked bool

	front []T // urgent items, last one first
	back  []T // the others
	later []T // those that can wait, and former places of some that could once

	ahead  map[T]struct{} // those in front and back, while something is in later
	former map[T]int      // how many of an item's places in later are former ones; they come before any other of its
	places int            // in later that are former ones

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

// Touch is called for an item that is queued already and is added again. If it could wait, and cannot any more, it
// goes to the others; else its place stays.
func (o *Order[T]) Touch(item T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.marked && o.mark == item || o.waiting() == 0 {
		return
	}
	if _, is := o.ahead[item]; is {
		return
	}
	if o.former == nil {
		o.former = map[T]int{}
	}
	o.former[item]++
	o.places++
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

// push adds an item to those ahead of what can wait.
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

// Len is how many items there are.
func (o *Order[T]) Len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.front) + len(o.back) + o.waiting()
}

// waiting is how many can still wait.
func (o *Order[T]) waiting() int { return len(o.later) - o.places }

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
		if o.former[item] == 0 {
			break
		}
		o.places--
		if o.former[item]--; o.former[item] == 0 {
			delete(o.former, item)
		}
	}
	o.forget()
	return item
}

// forget drops what is kept while there are both, once nothing can wait any more.
func (o *Order[T]) forget() {
	if o.waiting() > 0 {
		return
	}
	if o.later, o.places = nil, 0; len(o.ahead)+len(o.former) > 0 {
		o.ahead, o.former = nil, nil
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
