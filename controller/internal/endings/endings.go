// SPDX-License-Identifier: Apache-2.0

// Package endings collects, for reports, how the items ended that were in flight at an end.
package endings

import (
	"context"
	"errors"
	"sync"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// Collector is an observer. The zero value is ready for use.
type Collector struct {
	observe.Nop

	mu        sync.Mutex
	cancelled []report.Work
	finished  int
}

// ItemEnded keeps an item that was in flight at the end. An item of which a call was cut short
// counts as cancelled, even if it returned nil. The end of a part that was stopped alone is none, and neither
// is that of a slot.
func (c *Collector) ItemEnded(ctx context.Context, item *observe.Item) {
	if !item.AfterEnd {
		return
	}
	if why := context.Cause(ctx); errors.Is(why, cause.Stopped) || errors.Is(why, cause.ShardLost) {
		return
	}
	w := item.Describe(item.Interrupted())
	w.Err = item.Err
	c.mu.Lock()
	defer c.mu.Unlock()
	if item.Outcome == reconcile.Cancelled || len(w.Calls) > 0 {
		c.cancelled = append(c.cancelled, w)
	} else {
		c.finished++
	}
}

// Report returns what was collected since Reset.
func (c *Collector) Report() (cancelled []report.Work, finished int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cancelled, c.finished
}

// Reset begins anew, for the next term.
func (c *Collector) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancelled = nil
	c.finished = 0
}
