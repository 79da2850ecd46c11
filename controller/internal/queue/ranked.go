// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"slices"
	"sync"
)

// Ranked hands out the items of the highest priority first. Among these, tenants take turns. While
// items of lower priority wait, one of nine items is the one of them that has waited longest, so
// that none starves: it takes the place of its tenant's next turn. Items from [Ranked.Prioritize]
// come before all others.
//
// It keeps something about each item, which [Order] does not. It is the storage behind client-go's
// workqueue, which calls Touch, Push, Len and Pop under its own lock. The zero value is ready for
// use.
type Ranked[T comparable] struct {
	mu      sync.Mutex
	adding  map[T]Rank // of items that are being added
	urgent  map[T]struct{}
	entries map[T]*entry[T]
	levels  []*level[T] // those that have items, the highest first
	pushed  uint64      // the number of items that were ever pushed

	served int // the number of items handed out since the last one of a lower level, while there were any
}

// Add adds an item to the queue, through the queue's function add. An item that is in the queue
// keeps its place, unless its priority has risen. An item that a worker has comes back with the
// highest priority with which it was added meanwhile.
func (r *Ranked[T]) Add(add func(T), item T, rank Rank) {
	r.mu.Lock()
	if r.adding == nil {
		r.adding = map[T]Rank{}
	}
	if earlier, ok := r.adding[item]; !ok || placeOf(earlier).compare(placeOf(rank)) < 0 {
		r.adding[item] = rank
	}
	r.mu.Unlock()
	add(item)
}

// Prioritize marks an item: when it is next pushed, it goes before all others.
func (r *Ranked[T]) Prioritize(item T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.urgent == nil {
		r.urgent = map[T]struct{}{}
	}
	r.urgent[item] = struct{}{}
}

// Touch is called for an item that is in the queue and is added again.
func (r *Ranked[T]) Touch(item T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rank, ok := r.adding[item]
	delete(r.adding, item)
	e := r.entries[item]
	if !ok || e == nil {
		return
	}
	if to := placeOf(rank); to.compare(e.level.place) > 0 {
		r.remove(e)
		r.insert(e, to)
	}
}

// Push adds an item.
func (r *Ranked[T]) Push(item T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rank := r.adding[item]
	delete(r.adding, item)
	to := placeOf(rank)
	if _, to.urgent = r.urgent[item]; to.urgent {
		delete(r.urgent, item)
	}
	if r.entries == nil {
		r.entries = map[T]*entry[T]{}
	}
	r.pushed++
	e := &entry[T]{item: item, number: r.pushed, tenant: rank.Tenant}
	r.entries[item] = e
	r.insert(e, to)
}

// Len returns the number of items.
func (r *Ranked[T]) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.entries)
}

// Pop removes and returns the next item.
func (r *Ranked[T]) Pop() T {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.next()
	e.level.hadTurn(e.tenant)
	r.remove(e)
	delete(r.entries, e.item)
	return e.item
}

func (r *Ranked[T]) next() *entry[T] {
	top := r.levels[0]
	first := top.next()
	switch {
	case top.place.urgent:
		return first
	case len(r.levels) == 1:
		r.served = 0
		return first
	case r.served >= fairShare:
		if lower := oldest(r.levels[1:]); r.served >= maxRound || top.isTurnOf(lower.tenant, first) {
			r.served = 0
			top.hadTurn(lower.tenant)
			return lower
		}
	}
	r.served++
	return first
}

// oldest returns what has waited longest.
func oldest[T comparable](levels []*level[T]) *entry[T] {
	first := levels[0].oldest()
	for _, level := range levels[1:] {
		if other := level.oldest(); other.number < first.number {
			first = other
		}
	}
	return first
}

func (r *Ranked[T]) insert(e *entry[T], to place) {
	i, found := slices.BinarySearchFunc(r.levels, to, func(l *level[T], to place) int {
		return to.compare(l.place)
	})
	if !found {
		r.levels = slices.Insert(r.levels, i, newLevel[T](to))
	}
	r.levels[i].insert(e)
}

// remove removes an item from its level, and the level if nothing is left in it.
func (r *Ranked[T]) remove(e *entry[T]) {
	from := e.level
	from.remove(e)
	if from.all.Len() == 0 {
		r.levels = slices.DeleteFunc(r.levels, func(l *level[T]) bool { return l == from })
	}
}
