// SPDX-License-Identifier: Apache-2.0

package work

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// settled is how long a watch must have been open until the cache that it feeds counts as fed again.
// A watch that breaks sooner, again and again, feeds nothing.
const settled = 5 * time.Second

// Stream is the lists and watches of one collection, by which a cache is fed.
type Stream struct {
	Name   string    // of the collection, such as "configmaps in namespace default"
	Since  time.Time // since when there is no watch; zero while there is one
	Err    error     // of the last list or watch that failed since then; nil if none has
	Errors int64     // how many have failed so far
}

// Streams knows the collections that an informer lists and watches. The transport tells it. The zero
// value is empty. It is safe for concurrent use.
type Streams struct {
	mu     sync.Mutex
	byPath map[string]*stream
	rewind Rewind
}

type stream struct {
	Stream
	watches int // that are open
	opened  time.Time
	listed  time.Time
}

// Rewind is what the API server has told of versions that run backwards, such as after etcd was
// restored from a backup: it is at version To, after the cache had seen version From.
type Rewind struct {
	From, To string
	Count    int64 // how often so far
}

// of returns the stream of a collection, which path identifies. The lock must be held.
func (s *Streams) of(path, name string) *stream {
	known := s.byPath[path]
	if known == nil {
		known = &stream{Stream: Stream{Name: name}}
		if s.byPath == nil {
			s.byPath = map[string]*stream{}
		}
		s.byPath[path] = known
	}
	return known
}

// Failed notes that a list or watch has failed.
func (s *Streams) Failed(path, name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	failed := s.of(path, name)
	failed.Err = err
	failed.Errors++
	if failed.Since.IsZero() && failed.watches == 0 {
		failed.Since = time.Now()
	}
}

// Listed notes that a list was answered.
func (s *Streams) Listed(path, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of(path, name).listed = time.Now()
}

// ListedWithin reports whether a list was answered within the last time d.
func (s *Streams) ListedWithin(path string, d time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.byPath[path]
	return known != nil && !known.listed.IsZero() && time.Since(known.listed) <= d
}

// Opened notes that a watch was answered. Closed must follow.
func (s *Streams) Opened(path, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	opened := s.of(path, name)
	opened.watches++
	opened.opened = time.Now()
}

// Closed notes that a watch has ended.
func (s *Streams) Closed(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	closed := s.byPath[path]
	closed.settle(time.Now())
	closed.watches--
	if closed.watches == 0 && closed.Since.IsZero() {
		closed.Since = time.Now()
	}
}

// settle forgets failures once a watch has been open for long enough.
func (s *stream) settle(now time.Time) {
	if s.watches > 0 && now.Sub(s.opened) >= settled {
		s.Since = time.Time{}
		s.Err = nil
	}
}

// All returns the collections, sorted by name.
func (s *Streams) All(now time.Time) []Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Stream, 0, len(s.byPath))
	for _, each := range s.byPath {
		each.settle(now)
		all = append(all, each.Stream)
	}
	slices.SortFunc(all, func(a, b Stream) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Collections returns the names of the collections, by their paths.
func (s *Streams) Collections() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make(map[string]string, len(s.byPath))
	for path, each := range s.byPath {
		names[path] = each.Name
	}
	return names
}

// Rewound notes that the API server is at an older version than the cache has seen.
func (s *Streams) Rewound(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rewind = Rewind{From: from, To: to, Count: s.rewind.Count + 1}
}

// LastRewind returns the last Rewound.
func (s *Streams) LastRewind() Rewind {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rewind
}
