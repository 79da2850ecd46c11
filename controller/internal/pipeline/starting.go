// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"
)

const (
	// againAfter is the time after which it is told again that a session cannot start.
	againAfter = time.Minute
	// lookAgain is the time after which a session that waits looks at what it waits for.
	lookAgain = time.Second
)

// starter waits for what a session needs before it starts.
type starter struct {
	config  *Config
	sources *sources
	patient atomic.Bool // a session that cannot start goes on trying
	waiting waiting
}

// begun notes that a session has started, and returns the verbosity with which that is logged.
func (s *starter) begun() (level int) {
	s.patient.Store(true)
	return s.waiting.levelOfStart()
}

// warm waits until the caches are full, unless the pipeline was added to a manager that runs.
func (s *starter) warm(ctx context.Context) error {
	if s.patient.Load() {
		return nil
	}
	return s.await(ctx, func() (caches []Cache, feeds []Feed) { return s.neededCaches(ctx), nil })
}

// isNeeded reports whether a session starts only when a cache has synced. What is added to a running
// manager does not keep those from starting that were there before.
func (s *starter) isNeeded(c Cache) bool { return s.patient.Load() || !c.Late() }

// neededCaches returns the caches for which a session waits.
func (s *starter) neededCaches(ctx context.Context) []Cache {
	caches := distinct(append(s.config.Caches(ctx), s.sources.caches()...))
	return slices.DeleteFunc(caches, func(c Cache) bool { return !s.isNeeded(c) })
}

// await waits until caches have synced and feeds have told of all that is in theirs. needed returns
// them: fewer when a source is stopped meanwhile. If the pipeline goes on trying, await fails only when
// ctx ends. It tells of what is missing after the sync timeout, and then once a minute.
func (s *starter) await(ctx context.Context, needed func() ([]Cache, []Feed)) error {
	defer s.waiting.end()
	began := time.Now()
	for limit := s.config.SyncTimeout; ; limit += againAfter {
		err := s.awaitFor(ctx, began, limit, needed)
		if err == nil {
			return nil
		}
		err = fmt.Errorf("controller %q was not started: %w", s.config.Name, err)
		if ctx.Err() != nil || !s.patient.Load() || s.config.Rounds > 0 {
			return err
		}
		s.waiting.isOverdue()
		klog.FromContext(ctx).Error(err, "A controller cannot start yet, and goes on trying")
	}
}

// awaitFor waits until limit after began. The error has the reason for each cache that has not synced and for each
// feed that is not done; or the cause of the end of ctx.
func (s *starter) awaitFor(
	ctx context.Context, began time.Time, limit time.Duration, needed func() ([]Cache, []Feed),
) error {
	for {
		caches, feeds := needed()
		s.waiting.set(caches, feeds)
		left := time.Until(began.Add(limit))
		if isSynced(ctx, min(left, lookAgain), caches, feeds) {
			return nil
		}
		switch missing := missingOf(caches, feeds); {
		case ctx.Err() != nil:
			return &syncError{cause: context.Cause(ctx), caches: missing}
		case left <= lookAgain:
			return &syncError{cause: fmt.Errorf("its caches have not filled within %v", limit), caches: missing}
		}
	}
}

// awaitFeeds waits until the queue of a session was told of all that is in the caches.
func (s *starter) awaitFeeds(ctx context.Context) error {
	return s.await(ctx, func() ([]Cache, []Feed) { return s.neededCaches(ctx), s.sources.feedsOf(s.isNeeded) })
}

// waits is Pipeline.Waits.
func (s *starter) waits() (why error, overdue bool) {
	caches, feeds, overdue := s.waiting.now()
	missing := missingOf(caches, feeds)
	if len(missing) == 0 {
		return nil, overdue
	}
	return fmt.Errorf("controller %q waits: %w", s.config.Name, joined(missing)), overdue
}
