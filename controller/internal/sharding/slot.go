// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// Slot is a slot that this replica has, or gives up. It is safe for concurrent use.
type Slot struct {
	Number int
	Term   *term.Term

	id     slotID
	mu     sync.Mutex
	users  int
	end    Ending        // of the zero value while it is served
	idle   chan struct{} // is closed when it is given up and nobody uses it
	atEnd  map[*ending]struct{}
	closed bool
}

// Ending says how a slot has ended for its users.
type Ending struct {
	Why   error // why it was given up; nil while it is served
	At    time.Time
	Users int           // how many there were
	Took  time.Duration // until the last of them had left; zero until then
}

// ending is called when a slot ends for its users.
type ending struct{ call func(error) }

func newSlot(id slotID) *Slot {
	return &Slot{Number: id.slot, id: id, idle: make(chan struct{}), atEnd: map[*ending]struct{}{}}
}

// Enter begins to use the slot, until Leave. ok is false if it is not served any more.
func (s *Slot) Enter() (ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end.Why != nil {
		return false
	}
	s.users++
	return true
}

// Leave ends what Enter began.
func (s *Slot) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users--
	s.check()
}

// AtEnd lets end be called in the instant in which the slot is given up or lost, with the cause. It must
// return at once. It is called at once if that has been. forget undoes it.
func (s *Slot) AtEnd(end context.CancelCauseFunc) (forget func()) {
	e := &ending{end}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end.Why != nil {
		end(s.end.Why)
		return func() {}
	}
	s.atEnd[e] = struct{}{}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.atEnd, e)
	}
}

// giveUp lets no more users in, and ends those there are. Only the first cause counts.
func (s *Slot) giveUp(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end.Why != nil {
		return
	}
	s.end = Ending{Why: why, At: time.Now(), Users: s.users}
	for e := range s.atEnd {
		e.call(why)
	}
	clear(s.atEnd)
	s.check()
}

// Ending returns how the slot has ended.
func (s *Slot) Ending() Ending {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end
}

// check notes that nobody uses the slot any more. s.mu must be held.
func (s *Slot) check() {
	if s.end.Why != nil && s.users == 0 && !s.closed {
		s.closed = true
		s.end.Took = time.Since(s.end.At)
		close(s.idle)
	}
}

// Table is the slots that this replica serves. It is safe for concurrent use.
type Table struct {
	slots []atomic.Pointer[Slot]
}

func newTable(slots int) *Table { return &Table{make([]atomic.Pointer[Slot], slots)} }

// Of returns the slot of a key, or nil if this replica does not serve it.
func (t *Table) Of(key string) *Slot { return t.slots[SlotOf(key, len(t.slots))].Load() }

// Held returns the numbers of the slots that this replica serves.
func (t *Table) Held() (numbers []int) {
	for number := range t.slots {
		if t.slots[number].Load() != nil {
			numbers = append(numbers, number)
		}
	}
	return numbers
}
