// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"slices"
	"sync"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
)

// What is kept.
const (
	Recent  = 256  // reconciles of all objects
	Each    = 16   // reconciles of one object
	Objects = 2048 // objects, those that were reconciled last
)

// Book is an observer that remembers. The zero value is empty. It is safe for concurrent use.
type Book struct {
	observe.Nop
	// ErrorTexts keeps the texts of errors, which may have content of objects. It must be set first.
	ErrorTexts bool

	mu      sync.Mutex
	recent  []*entry // a ring
	next    int      // where the oldest of a full ring is
	unused  []*entry // of no ring any more
	stories map[Key]*story
	newest  *story // of a list by the time of the last reconcile
	oldest  *story
	writers writers
}

// keep adds an entry to a ring. The oldest makes room.
func (b *Book) keep(ring *[]*entry, next *int, limit int, e *entry) {
	e.kept++
	if len(*ring) < limit {
		*ring = append(*ring, e)
		return
	}
	b.leave((*ring)[*next])
	(*ring)[*next] = e
	*next = (*next + 1) % limit
}

// leave takes an entry out of a ring. One that is in no ring is used again.
func (b *Book) leave(e *entry) {
	if e.kept--; e.kept > 0 || len(b.unused) == Each {
		return
	}
	clear(e.writes)
	*e = entry{writes: e.writes[:0]}
	b.unused = append(b.unused, e)
}

func (b *Book) newEntry() *entry {
	if n := len(b.unused); n > 0 {
		e := b.unused[n-1]
		b.unused = b.unused[:n-1]
		return e
	}
	return &entry{}
}

// ordered returns the records of a ring, the oldest first.
func ordered(ring []*entry, next int) []Record {
	records := make([]Record, 0, len(ring))
	for _, part := range [][]*entry{ring[next:], ring[:next]} {
		for _, e := range part {
			records = append(records, e.record())
		}
	}
	return records
}

// of returns the story of an object, which is the newest then. The object that was not reconciled for longest
// makes room for a new one.
func (b *Book) of(key Key, now time.Time) *story {
	s := b.stories[key]
	switch {
	case s != nil && s == b.newest:
		return s
	case s != nil:
		b.unlink(s)
	case len(b.stories) >= Objects:
		s = b.oldest
		b.drop(s)
		for _, e := range s.entries {
			b.leave(e)
		}
		clear(s.entries)
		*s = story{key: key, entries: s.entries[:0], first: now}
		b.stories[key] = s
	default:
		s = &story{key: key, entries: make([]*entry, 0, 4), first: now} // most objects are reconciled a few times
		if b.stories == nil {
			b.stories = map[Key]*story{}
		}
		b.stories[key] = s
	}
	b.link(s)
	return s
}

// link makes a story the newest.
func (b *Book) link(s *story) {
	s.older = b.newest
	s.newer = nil
	if b.newest != nil {
		b.newest.newer = s
	}
	b.newest = s
	if b.oldest == nil {
		b.oldest = s
	}
}

func (b *Book) unlink(s *story) {
	if s.newer != nil {
		s.newer.older = s.older
	} else {
		b.newest = s.older
	}
	if s.older != nil {
		s.older.newer = s.newer
	} else {
		b.oldest = s.newer
	}
}

func (b *Book) drop(s *story) {
	b.unlink(s)
	delete(b.stories, s.key)
}

// ControllerRemoved forgets the stories of a controller. The last reconciles of all objects stay.
func (b *Book) ControllerRemoved(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := b.oldest; s != nil; {
		next := s.newer
		if s.key.Controller == name {
			b.drop(s)
		}
		s = next
	}
}

// Last returns the last reconciles, the newest first.
func (b *Book) Last() []Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := ordered(b.recent, b.next)
	slices.Reverse(all)
	return all
}

// Story is what is remembered of an object.
type Story struct {
	Records []Record // the oldest first
	Total   int64    // the number of reconciles since First
	First   time.Time
}

// Of returns what is remembered of an object; the zero value for nothing.
func (b *Book) Of(key Key) Story {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stories[key]
	if s == nil {
		return Story{}
	}
	return Story{Records: ordered(s.entries, s.next), Total: s.total, First: s.first}
}

// Writers returns who has written what, most writes first.
func (b *Book) Writers() []Writer {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.writers.all()
}
