// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/klog/v2"
)

const (
	// againAfter is the time after which it is told again that a session cannot start.
	againAfter = time.Minute
	// lookAgain is the time after which a session that waits looks at what it waits for.
	lookAgain = time.Second
)

// GoOnTrying makes sessions that cannot start go on trying, because others must not end with them. A
// pipeline of which a session has started does so too. Otherwise the session fails after the sync
// timeout.
func (p *Pipeline) GoOnTrying() { p.patient.Store(true) }

// Warm waits until the sources' caches are full. A stand-by does that before it campaigns. It does not
// campaign later because of a pipeline that was added only since it runs.
func (p *Pipeline) Warm(ctx context.Context) error {
	if p.patient.Load() {
		return nil
	}
	return p.await(ctx, func() (caches []Cache, feeds []Feed) { return p.neededCaches(ctx), nil })
}

// isNeeded reports whether a session starts only when a cache has synced. What is added to a running
// manager does not keep those from starting that were there before.
func (p *Pipeline) isNeeded(c Cache) bool { return p.patient.Load() || !c.Late() }

// neededCaches returns the caches for which a session waits.
func (p *Pipeline) neededCaches(ctx context.Context) []Cache {
	caches := distinct(append(p.config.Caches(ctx), p.sources.caches()...))
	return slices.DeleteFunc(caches, func(c Cache) bool { return !p.isNeeded(c) })
}

// await waits until caches have synced and feeds have told of all that is in theirs. needed returns
// them: fewer when a source is stopped meanwhile. If the pipeline goes on trying, await fails only when
// ctx ends. It tells of what is missing after the sync timeout, and then once a minute.
func (p *Pipeline) await(ctx context.Context, needed func() ([]Cache, []Feed)) error {
	defer p.waiting.end()
	began := time.Now()
	for limit := p.config.SyncTimeout; ; limit += againAfter {
		err := p.awaitFor(ctx, began, limit, needed)
		if err == nil {
			return nil
		}
		err = fmt.Errorf("controller %q was not started: %w", p.config.Name, err)
		if ctx.Err() != nil || !p.patient.Load() {
			return err
		}
		p.waiting.isOverdue()
		klog.FromContext(ctx).Error(err, "A controller cannot start yet, and goes on trying")
	}
}

// awaitFor waits until limit after began. The error has the reason for each cache that has not synced and for each
// feed that is not done; or the cause of the end of ctx.
func (p *Pipeline) awaitFor(
	ctx context.Context, began time.Time, limit time.Duration, needed func() ([]Cache, []Feed),
) error {
	for {
		caches, feeds := needed()
		p.waiting.set(caches, feeds)
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

// Waits returns what keeps a session from starting; nil if none waits. overdue reports whether it has
// waited for longer than the sync timeout.
func (p *Pipeline) Waits() (why error, overdue bool) {
	caches, feeds, overdue := p.waiting.now()
	missing := missingOf(caches, feeds)
	if len(missing) == 0 {
		return nil, overdue
	}
	return fmt.Errorf("controller %q waits: %w", p.config.Name, joined(missing)), overdue
}

// waiting is what a session waits for before it starts. The zero value waits for nothing. It is safe
// for concurrent use.
type waiting struct {
	mu      sync.Mutex
	caches  []Cache
	feeds   []Feed
	overdue bool
	told    bool // a wait was overdue since the last start
}

func (w *waiting) set(caches []Cache, feeds []Feed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.caches, w.feeds = caches, feeds
}

func (w *waiting) isOverdue() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.overdue, w.told = true, true
}

func (w *waiting) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.caches, w.feeds, w.overdue = nil, nil, false
}

func (w *waiting) now() (caches []Cache, feeds []Feed, overdue bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.caches, w.feeds, w.overdue
}

// levelOfStart is the verbosity with which a start is logged: 0 after it was told to be overdue.
func (w *waiting) levelOfStart() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	level := 1
	if w.told {
		level = 0
	}
	w.told = false
	return level
}
