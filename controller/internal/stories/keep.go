// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"context"
	"strings"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/faults"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// ItemEnded remembers a reconcile.
func (b *Book) ItemEnded(ctx context.Context, item *observe.Item) {
	failure := b.failureOf(ctx, item) // before the lock: the text of an error is the user's code
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.newEntry()
	e.fill(item, failure)
	e.of = b.of(Key{item.Owner, item.Key}, item.Start)
	e.of.total++
	b.keep(&b.recent, &b.next, Recent, e)
	b.keep(&e.of.entries, &e.of.next, Each, e)
	b.writers.wrote(e.of.key, item.Start.Add(item.Took), e.writes)
}

// maxError bounds the text of an error that is kept, in bytes.
const maxError = 1 << 10

// fill notes how a reconcile went.
func (e *entry) fill(item *observe.Item, failure *failure) {
	e.reason = item.Reason
	e.outcome = item.Outcome
	e.triggers = item.Triggers
	e.attempt = item.Attempt
	e.waited = item.Start.Sub(item.Ready)
	e.began = item.Start.UnixNano()
	e.took = item.Took
	e.again = item.Again
	e.after = item.AgainAfter
	e.event = eventOf(item.Key, item.Trigger)
	e.failure = failure
	e.calls, e.writes = item.AppendWrites(e.writes)
}

// failureOf returns what is known of a reconcile that did not succeed, or nil.
func (b *Book) failureOf(ctx context.Context, item *observe.Item) *failure {
	if item.Err == nil && item.Outcome != reconcile.Cancelled {
		return nil
	}
	f := &failure{err: b.textOf(item.Err)}
	if item.Outcome == reconcile.Cancelled {
		f.cause = cause.Name(ctx)
	}
	return f
}

// textOf returns what is kept of an error. The error itself may hold on to anything.
func (b *Book) textOf(err error) string {
	if err == nil || !b.ErrorTexts {
		return faults.Describe(err)
	}
	text := err.Error()
	if len(text) > maxError {
		text = strings.ToValidUTF8(text[:maxError], "") + "..."
	}
	return text
}
