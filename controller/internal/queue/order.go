// Package queue decides the order in which a workqueue hands out its items.
package queue

import "sync"

// Order is first in, first out, except that items marked as urgent go to the front. It is the storage
// behind client-go's workqueue, which calls everything but Hasten under its own lock.
type Order[T comparable] struct {
	mu     sync.Mutex
	urgent map[T]struct{}

	front []T // urgent items, last one first
	back  []T // the others
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

func (o *Order[T]) hastened(item T) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, urgent := o.urgent[item]
	delete(o.urgent, item)
	return urgent
}

// Touch is called for an item that is queued already; its place stays.
func (o *Order[T]) Touch(T) {}

// Push adds an item.
func (o *Order[T]) Push(item T) {
	if o.hastened(item) {
		o.front = append(o.front, item)
		return
	}
	o.back = append(o.back, item)
}

// Len is how many items there are.
func (o *Order[T]) Len() int { return len(o.front) + len(o.back) }

// Pop removes and returns the next item.
func (o *Order[T]) Pop() T {
	var none T
	if last := len(o.front) - 1; last >= 0 {
		item := o.front[last]
		o.front[last] = none
		o.front = o.front[:last]
		return item
	}
	item := o.back[0]
	o.back[0] = none // the array is kept for a while and must not keep the item
	o.back = o.back[1:]
	return item
}
