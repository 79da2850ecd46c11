// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"sync"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/tree"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// scope is where items work.
type scope struct {
	begin context.Context //ctxvet:ok ctxfield: no item begins when it has ended
	items context.Context // the parent of the items' contexts
	term  *term.Term      // that their writes need; nil if they need none
}

// scopes is the scopes of a session: one for all items, or one for each slot that this process has. It is
// safe for concurrent use.
type scopes struct {
	all    scope
	shards Shards // nil: all items are in one scope
	hurry  <-chan struct{}
	grace  time.Duration

	mu    sync.Mutex
	slots map[Slot]*slotScope
}

// slotScope is the scope of a slot, while items work in it.
type slotScope struct {
	scope
	users   int
	release func()
}

// enter returns the scope of an item. leave must be called when it has returned. ok is false if the item is
// not this process's.
func (s *scopes) enter(request reconcile.Request) (of scope, leave func(), ok bool) {
	if s.shards == nil {
		return s.all, func() {}, true
	}
	slot, ok := s.shards.Enter(request)
	if !ok {
		return scope{}, nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.slots[slot]
	if in == nil {
		in = s.open(slot)
		s.slots[slot] = in
	}
	in.users++
	return in.scope, func() { s.leave(slot) }, true
}

// open makes the scope of a slot. Its contexts end with the session and with the slot.
func (s *scopes) open(slot Slot) *slotScope {
	begin, cancel := context.WithCancelCause(s.all.begin)
	needed := slot.Needed()
	forget := slot.AtEnd(cancel)
	items, release := tree.Drain(begin, needed.Lost(), s.hurry, s.grace)
	return &slotScope{
		scope: scope{begin: begin, items: items, term: needed},
		release: func() {
			forget()
			release()
			cancel(nil)
		},
	}
}

// leave ends the work on an item. The scope is kept for the next one as long as nothing has ended.
func (s *scopes) leave(slot Slot) {
	s.mu.Lock()
	in := s.slots[slot]
	in.users--
	over := in.users == 0 && in.begin.Err() != nil
	if over {
		delete(s.slots, slot)
	}
	s.mu.Unlock()
	if over {
		in.release()
	}
	slot.Leave()
}

// close releases what is left, when no items work any more.
func (s *scopes) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, in := range s.slots {
		in.release()
	}
	s.slots = nil
}
