// SPDX-License-Identifier: Apache-2.0

package queue

import "container/list"

// maxRound is the number of turns after which a round ends although new tenants still come: those
// that have had their turn must not wait for ever, and are not remembered for ever.
const maxRound = 64

// entry is an item in the queue.
type entry[T comparable] struct {
	item   T
	number uint64 // of its push: a lower one has waited longer
	tenant string
	level  *level[T]
	place  *list.Element // in level.all
	turn   *list.Element // in the tenant's line
}

// level is the items of one place. Their tenants take turns, in rounds: a tenant that has no item
// in one round and gets one waits only for those that have not had their turn in that round.
type level[T comparable] struct {
	place place
	all   list.List // of *entry, the one that came first is the first

	lines map[string]*line    // of the tenants that have items
	now   *list.List          // of *line, those that have not had their turn in this round
	then  *list.List          // the others
	had   map[string]struct{} // the tenants that had their turn in this round; they may have no items
}

// line is the items of a tenant.
type line struct {
	items list.List     // of *entry
	turn  *list.Element // in now or then of the level
}

func newLevel[T comparable](at place) *level[T] {
	return &level[T]{
		place: at, lines: map[string]*line{}, now: list.New(), then: list.New(), had: map[string]struct{}{},
	}
}

func (l *level[T]) insert(e *entry[T]) {
	e.level = l
	e.place = l.all.PushBack(e)
	tenants := l.lines[e.tenant]
	if tenants == nil {
		tenants = &line{}
		l.lines[e.tenant] = tenants
		l.queueUp(tenants, e.tenant)
	}
	e.turn = tenants.items.PushBack(e)
}

// queueUp puts a line in its place for the tenant's next turn.
func (l *level[T]) queueUp(of *line, tenant string) {
	if _, had := l.had[tenant]; had {
		of.turn = l.then.PushBack(of)
	} else {
		of.turn = l.now.PushBack(of)
	}
}

func (l *level[T]) remove(e *entry[T]) {
	l.all.Remove(e.place)
	of := l.lines[e.tenant]
	of.items.Remove(e.turn)
	if of.items.Len() == 0 {
		l.leave(of)
		delete(l.lines, e.tenant)
	}
}

func (l *level[T]) leave(of *line) {
	l.now.Remove(of.turn) // one of the two does nothing
	l.then.Remove(of.turn)
}

// isTurnOf reports whether a tenant may have a turn, with an item of another level, when the next
// item here is first: it must not have more turns than others.
func (l *level[T]) isTurnOf(tenant string, first *entry[T]) bool {
	return first.tenant == tenant || l.lines[tenant] == nil
}

// next returns the item whose turn it is.
func (l *level[T]) next() *entry[T] {
	if l.now.Len() == 0 {
		l.beginRound()
	}
	return l.now.Front().Value.(*line).items.Front().Value.(*entry[T])
}

// beginRound lets those that had their turn queue up behind those that had none.
func (l *level[T]) beginRound() {
	clear(l.had)
	for l.then.Len() > 0 {
		of := l.then.Remove(l.then.Front()).(*line)
		of.turn = l.now.PushBack(of)
	}
}

// hadTurn notes that a tenant has its turn, if it has items here.
func (l *level[T]) hadTurn(tenant string) {
	of := l.lines[tenant]
	if of == nil {
		return
	}
	if len(l.had) >= maxRound {
		l.beginRound()
	}
	l.had[tenant] = struct{}{}
	l.leave(of)
	l.queueUp(of, tenant)
}

func (l *level[T]) oldest() *entry[T] { return l.all.Front().Value.(*entry[T]) }
