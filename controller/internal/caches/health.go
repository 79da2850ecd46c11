// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"errors"
	"fmt"
	"time"
)

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

// LastError returns why the cache is not fed, or not full; nil if it is.
func (c *Cache) LastError(now time.Time) error {
	for _, outage := range c.outages(now) {
		if outage.Err != nil {
			return outage.Err
		}
	}
	if c.HasSynced() {
		return c.transformer.broken(c.name, c.GetStore())
	}
	c.feeding.mu.Lock()
	defer c.feeding.mu.Unlock()
	return c.feeding.err
}

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

// outages returns the outages of a cache. With what the transport knows of its watches that is
// certain. Without, for a fake or a client of another configuration, errors are all that is known.
func (c *Cache) outages(now time.Time) []Outage {
	c.feeding.mu.Lock()
	reflector := Outage{Name: c.name, Since: c.feeding.since, Last: c.feeding.last, Err: c.feeding.err}
	c.feeding.mu.Unlock()
	streams := c.unit.Streams.All(now)
	if len(streams) == 0 {
		if reflector.Err == nil || now.Sub(reflector.Last) > silence {
			return nil
		}
		return []Outage{reflector}
	}
	all := outagesOf(c.name, streams)
	for i := range all {
		if reflector.Err != nil && !reflector.Last.Before(all[i].Since) {
			all[i].Err = reflector.Err // it has the API server's message
		}
	}
	return all
}

// SyncError says why the cache is not full yet.
func (c *Cache) SyncError() error {
	if err := c.transformer.busy.Stalled(c.name, time.Now(), 0); err != nil {
		return err
	}
	c.feeding.mu.Lock()
	defer c.feeding.mu.Unlock()
	if c.feeding.err == nil {
		return fmt.Errorf("%s: the API server has not answered its list yet", c.name)
	}
	return fmt.Errorf("%s: %w%s", c.name, c.feeding.err, hint(c.feeding.err))
}
