// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"errors"
	"slices"
	"time"
)

// Reason is the kind of an error that a cache counts.
type Reason string

// The reasons. They are values of a metric's label.
const (
	ListOrWatch Reason = "list_or_watch" // a list or watch failed
	Transform   Reason = "transform"     // the transform failed for an object
	Handler     Reason = "handler"       // a filter or mapping panicked
	Rewound     Reason = "rewound"       // the API server's versions run backwards
)

// Reasons are all reasons.
func Reasons() []Reason { return []Reason{ListOrWatch, Transform, Handler, Rewound} }

// Broken returns an error if the cache does not hold what the API server has: it has not been fed for
// longer than a moment, or its transform fails.
func (c *Cache) Broken(now time.Time) error {
	var errs []error
	for _, outage := range c.outages(now) {
		if outage.told(now) {
			errs = append(errs, outage)
		}
	}
	return errors.Join(append(errs, c.transformer.broken(c.name, c.GetStore()))...)
}

// Stalled returns an error if the cache's transform has been running for longer than a time.
func (c *Cache) Stalled(now time.Time, after time.Duration) error {
	return c.transformer.busy.Stalled(c.name, now, after)
}

// FailingFor returns for how long the cache has not been fed; zero if it is.
func (c *Cache) FailingFor(now time.Time) (longest time.Duration) {
	for _, outage := range c.outages(now) {
		longest = max(longest, now.Sub(outage.Since))
	}
	return longest
}

// Count counts an error.
func (c *Cache) Count(reason Reason) { c.counts[slices.Index(Reasons(), reason)].Add(1) }

// Errors returns how often something failed so far.
func (c *Cache) Errors(now time.Time) map[Reason]int64 {
	all := map[Reason]int64{}
	for i, reason := range Reasons() {
		all[reason] = c.counts[i].Load()
	}
	streams := c.unit.Streams.All(now)
	for _, stream := range streams {
		all[ListOrWatch] += stream.Errors
	}
	if len(streams) == 0 {
		c.feeding.mu.Lock()
		all[ListOrWatch] = c.feeding.errors
		c.feeding.mu.Unlock()
	}
	return all
}
