// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/tools/cache"
)

// isSynced waits for at most limit until caches have synced and the feeds have told of all that is in
// theirs.
func isSynced(ctx context.Context, limit time.Duration, caches []Cache, feeds []Feed) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	checkers := make([]cache.DoneChecker, 0, len(caches)+len(feeds))
	for _, c := range caches {
		checkers = append(checkers, c.HasSyncedChecker())
	}
	for _, feed := range feeds {
		checkers = append(checkers, feed.HasSyncedChecker())
	}
	return cache.WaitFor(ctx, "", checkers...)
}

// missingOf says why caches have not synced; or, if all have, why feeds have not told of all that is in
// theirs.
func missingOf(caches []Cache, feeds []Feed) (errs []error) {
	for _, c := range caches {
		if !cache.IsDone(c.HasSyncedChecker()) {
			errs = append(errs, c.SyncError())
		}
	}
	if len(errs) == 0 {
		errs = unfinished(feeds)
	}
	return errs
}

// unfinished says why feeds have not told of all that is in their caches.
func unfinished(feeds []Feed) (errs []error) {
	now := time.Now()
	for _, feed := range feeds {
		if cache.IsDone(feed.HasSyncedChecker()) {
			continue
		}
		err := fmt.Errorf("%s: not all of its objects have passed the filters and the mapping yet",
			feed.HasSyncedChecker().Name())
		if staller, ok := feed.(Staller); ok {
			err = cmp.Or(staller.Stalled(now, 0), err)
		}
		errs = append(errs, err)
	}
	return errs
}

// distinct returns each cache once: several sources may have the same.
func distinct(all []Cache) []Cache {
	var caches []Cache
	for _, c := range all {
		if !slices.Contains(caches, c) {
			caches = append(caches, c)
		}
	}
	return caches
}

// syncError is one line however many caches are not full, because it is one line of a log too.
type syncError struct {
	cause  error
	caches []error
}

func (e *syncError) Error() string {
	if len(e.caches) == 0 {
		return e.cause.Error()
	}
	return e.cause.Error() + ": " + joined(e.caches).Error()
}

func (e *syncError) Unwrap() []error { return append([]error{e.cause}, e.caches...) }

// joined is several errors in one line.
type joined []error

func (e joined) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (e joined) Unwrap() []error { return e }
