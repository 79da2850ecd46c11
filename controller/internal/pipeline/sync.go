// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/client-go/tools/cache"
)

// awaitSync waits until caches have synced and the feeds have told of all that is in theirs. It fails
// after limit, with the reason for each cache that has not synced and for each feed that is not done,
// and when ctx ends, with its cause.
func awaitSync(ctx context.Context, limit time.Duration, all []Cache, feeds []Feed) error {
	limited, cancel := context.WithTimeoutCause(
		ctx,
		limit,
		fmt.Errorf("its caches have not filled within %v", limit),
	)
	defer cancel()
	caches := distinct(all)
	checkers := make([]cache.DoneChecker, 0, len(caches)+len(feeds))
	for _, c := range caches {
		checkers = append(checkers, c.HasSyncedChecker())
	}
	for _, feed := range feeds {
		checkers = append(checkers, feed.HasSyncedChecker())
	}
	if cache.WaitFor(limited, "", checkers...) {
		return nil
	}
	failed := &syncError{cause: context.Cause(limited)}
	for _, c := range caches {
		if !cache.IsDone(c.HasSyncedChecker()) {
			failed.caches = append(failed.caches, c.SyncError())
		}
	}
	if len(failed.caches) == 0 {
		failed.caches = unfinished(feeds)
	}
	return failed
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
	text := e.cause.Error()
	for i, err := range e.caches {
		text += []string{": ", "; "}[min(i, 1)] + err.Error()
	}
	return text
}

func (e *syncError) Unwrap() []error { return append([]error{e.cause}, e.caches...) }
