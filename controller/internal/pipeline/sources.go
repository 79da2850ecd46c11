// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"fmt"
	"slices"
	"sync"
)

// sources is the sources of a pipeline, and their feeds while a session runs. It is safe for
// concurrent use.
type sources struct {
	mu    sync.Mutex
	list  []Source
	start func(Source) (Feed, error) // starts a source in the session; nil when none runs
	feeds map[Source]Feed
}

// add adds a source. If a session runs, the source feeds its queue at once.
func (s *sources) add(source Source) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.start != nil {
		if err := s.feed(source); err != nil {
			return err
		}
	}
	s.list = append(s.list, source)
	return nil
}

func (s *sources) feed(source Source) error {
	feed, err := s.start(source)
	if err != nil {
		return fmt.Errorf("%s: %w", source.Name(), err)
	}
	s.feeds[source] = feed
	return nil
}

// remove removes a source. It returns when the source does not feed any queue.
func (s *sources) remove(source Source) {
	s.mu.Lock()
	s.list = slices.DeleteFunc(slices.Clone(s.list), func(other Source) bool { return other == source })
	feed := s.feeds[source]
	delete(s.feeds, source)
	s.mu.Unlock()
	if feed != nil {
		feed.Stop()
	}
}

// begin starts all sources, and those that are added until end, in a session.
func (s *sources) begin(start func(Source) (Feed, error)) (feeds []Feed, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start = start
	s.feeds = map[Source]Feed{}
	for _, source := range s.list {
		if err := s.feed(source); err != nil {
			return nil, err
		}
		feeds = append(feeds, s.feeds[source])
	}
	return feeds, nil
}

// end ends the feeds of a session, and returns when they do not add to its queue.
func (s *sources) end() {
	s.mu.Lock()
	feeds := s.feeds
	s.start = nil
	s.feeds = nil
	s.mu.Unlock()
	for _, feed := range feeds {
		feed.Stop()
	}
}

// caches returns the caches of the sources.
func (s *sources) caches() (caches []Cache) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, source := range s.list {
		if c := source.Cache(); c != nil {
			caches = append(caches, c)
		}
	}
	return caches
}
