// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"time"

	"k8s.io/client-go/tools/cache"
)

// Source feeds the queue of a pipeline. To add a new kind of source, implement it.
type Source interface {
	// Name identifies the source in errors.
	Name() string
	// Cache is what must have synced before the pipeline's workers start. It is nil for a source
	// without a cache.
	Cache() Cache
	// Start lets the source feed a queue until ctx ends or the feed is stopped.
	Start(ctx context.Context, queue *Queue) (Feed, error)
}

// Feed is a source while it feeds a queue.
type Feed interface {
	// HasSyncedChecker is done when the queue was told of all that is in the source's cache.
	HasSyncedChecker() cache.DoneChecker
	// Stop stops the feed, and returns when it does not add to the queue any more.
	Stop()
}

// Staller is a Feed that calls functions of the user on the goroutine which delivers events.
type Staller interface {
	// Stalled returns an error that names such a function if it has been running for longer than a
	// time.
	Stalled(now time.Time, after time.Duration) error
}
