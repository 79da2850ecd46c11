// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"context"
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/faults"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// ItemEnded remembers a reconcile.
func (b *Book) ItemEnded(ctx context.Context, item *observe.Item) {
	record := b.recordOf(ctx, item, time.Now())
	b.mu.Lock()
	defer b.mu.Unlock()
	add(&b.recent, &b.next, Recent, &record)
	s := b.of(&record)
	add(&s.records, &s.next, Each, &record)
	s.total++
	b.writers.wrote(&record)
}

// maxError bounds the text of an error that is kept, in bytes.
const maxError = 1 << 10

func (b *Book) recordOf(ctx context.Context, item *observe.Item, now time.Time) Record {
	r := Record{
		Key: Key{item.Owner, item.Key}, Reason: item.Reason, Event: EventOf(item.Trigger), Triggers: item.Triggers,
		Attempt: item.Attempt, Ready: item.Ready, Began: item.Start, Took: now.Sub(item.Start), Outcome: item.Outcome,
		Error: b.textOf(item.Err), Again: item.Again, After: item.AgainAfter,
	}
	if item.Outcome == reconcile.Cancelled {
		r.Cause = cause.Name(ctx)
	}
	if r.Calls = item.Cost().Calls; r.Calls > 0 {
		r.Writes = item.Writes()
	}
	return r
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
