// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// sources is the sources of a pipeline, and their feeds while a session runs. It is safe for
// concurrent use.
type sources struct {
	mu    sync.Mutex
	list  []Source
	start func(Source) (Feed, error) // starts a source in the session; nil when none runs
	feeds map[Source]Feed

	stopping map[Source]Feed // of a session that ends
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
func (s *sources) begin(start func(Source) (Feed, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start = start
	s.feeds = map[Source]Feed{}
	for _, source := range s.list {
		if err := s.feed(source); err != nil {
			return err
		}
	}
	return nil
}

// feedsOf returns the feeds of the sources that have a needed cache.
func (s *sources) feedsOf(needed func(Cache) bool) (feeds []Feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, source := range s.list {
		if c := source.Cache(); c != nil && needed(c) && s.feeds[source] != nil {
			feeds = append(feeds, s.feeds[source])
		}
	}
	return feeds
}

// end ends the feeds of a session, and returns when they do not add to its queue.
func (s *sources) end() {
	s.mu.Lock()
	s.stopping = s.feeds
	s.start = nil
	s.feeds = nil
	s.mu.Unlock()
	for _, feed := range s.stopping {
		feed.Stop()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = nil // a session begins only after the end of the one before
}

// leaveStalled leaves out, of the feeds to stop, those in which a function of the user does not return:
// its end would be waited for before the error that names it could be returned. That error ends the
// manager, and the informer waits for the function.
func (s *sources) leaveStalled(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for source, feed := range s.feeds {
		if staller, ok := feed.(Staller); ok && staller.Stalled(now, 0) != nil {
			delete(s.feeds, source)
		}
	}
}

// stalled returns an error that names the functions of the user which have been running for longer
// than a time.
func (s *sources) stalled(now time.Time, after time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, feeds := range []map[Source]Feed{s.feeds, s.stopping} {
		for _, feed := range feeds {
			if staller, ok := feed.(Staller); ok {
				errs = append(errs, staller.Stalled(now, after))
			}
		}
	}
	return errors.Join(errs...)
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
