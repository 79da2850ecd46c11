// SPDX-License-Identifier: Apache-2.0

// Package stats counts the reconciles of each controller by how they ended.
package stats

import (
	"context"
	"maps"
	"sync"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Counts is the number of a controller's reconciles.
type Counts struct {
	ByOutcome map[reconcile.Outcome]int64
	ByCause   map[string]int64 // of the cancelled ones, by the name of the cause
}

// Counter is an observer that counts. The zero value is ready for use.
type Counter struct {
	observe.Nop

	mu     sync.Mutex
	counts map[string]*Counts // by controller
}

// ItemEnded counts an item.
func (c *Counter) ItemEnded(ctx context.Context, item *observe.Item) {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := c.counts[item.Owner]
	if counts == nil {
		counts = &Counts{ByOutcome: map[reconcile.Outcome]int64{}, ByCause: map[string]int64{}}
		if c.counts == nil {
			c.counts = map[string]*Counts{}
		}
		c.counts[item.Owner] = counts
	}
	counts.ByOutcome[item.Outcome]++
	if item.Outcome == reconcile.Cancelled {
		counts.ByCause[cause.Name(ctx)]++
	}
}

// ControllerRemoved forgets a controller.
func (c *Counter) ControllerRemoved(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.counts, name)
}

// Of returns the counts of a controller so far.
func (c *Counter) Of(controller string) Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := c.counts[controller]
	if counts == nil {
		return Counts{}
	}
	return Counts{ByOutcome: maps.Clone(counts.ByOutcome), ByCause: maps.Clone(counts.ByCause)}
}
