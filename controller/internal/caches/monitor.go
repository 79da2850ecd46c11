// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

const (
	checkPeriod     = 5 * time.Second // between looks at the caches
	mutationsPeriod = time.Second     // the same, while mutations are looked for
)

// Monitor logs what goes wrong with caches for longer than a moment: an outage once it has lasted for
// a moment, then once a minute, and at its end; functions of the user that block; versions that run
// backwards. It is a part of a manager's run.
type Monitor struct {
	Set *Set
	// Factories is the streams of the informers that factories run.
	Factories *work.Streams
	// Stalled returns an error that names the functions that have been running for too long.
	Stalled func() error
	// Order orders a look at the objects after the items that have ended, and before those that have
	// not begun, so that the race detector finds only what changes an object at the same time.
	Order func()

	outages map[fed]*outage
	again   Again // for what stalls
	twice   twice
}

// fed is what is fed: a cache, or a collection of a factory. Several caches may have one name.
type fed struct {
	cache      *Cache // nil for a collection
	collection string
}

// outage is an outage that was told.
type outage struct {
	Outage
	told  time.Time // zero: not yet
	going bool
}

// Unit identifies the monitor in reports.
func (m *Monitor) Unit() *work.Unit {
	return &work.Unit{Kind: report.Informer, Owner: "monitor of the caches"}
}

// Run looks at the caches until ctx ends. Its error names an object that was changed in the cache.
func (m *Monitor) Run(ctx context.Context) error {
	m.outages = map[fed]*outage{}
	period := checkPeriod
	if m.Set.DetectMutations {
		period = mutationsPeriod
	}
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			m.Order()
			if err := m.Set.Mutated(now); err != nil {
				return err
			}
			m.Order()
			m.check(ctx, now)
		}
	}
}

func (m *Monitor) check(ctx context.Context, now time.Time) {
	for _, known := range m.outages {
		known.going = false
	}
	all := m.Set.All()
	for _, c := range all {
		for _, o := range c.outages(now) {
			m.goesOn(ctx, now, fed{cache: c}, o)
		}
		checkVersion(ctx, c)
	}
	for _, o := range factoryOutages(m.Factories, now) {
		m.goesOn(ctx, now, fed{collection: o.Name}, o)
	}
	m.twice.check(ctx, all)
	m.forgetGone(all)
	m.tellEnds(ctx, now)
	if err := m.Stalled(); err != nil {
		if due, _ := m.again.Due("stalled", now); due {
			klog.FromContext(ctx).Error(err, "A function that must not block does not return")
		}
	}
}

// factoryOutages returns the outages of the informers that factories run. They have no name but that
// of their collection.
func factoryOutages(streams *work.Streams, now time.Time) (all []Outage) {
	for _, stream := range streams.All(now) {
		if !stream.Since.IsZero() {
			all = append(all, Outage{Name: "informer of a factory for " + stream.Name, Since: stream.Since, Err: stream.Err})
		}
	}
	return all
}

// BrokenFactories returns an error for the informers that factories run, like Cache.Broken.
func BrokenFactories(streams *work.Streams, now time.Time) error {
	var errs []error
	for _, o := range factoryOutages(streams, now) {
		if o.told(now) {
			errs = append(errs, o)
		}
	}
	return errors.Join(errs...)
}

// goesOn tells of an outage that goes on, when it is time to.
func (m *Monitor) goesOn(ctx context.Context, now time.Time, what fed, o Outage) {
	known := m.outages[what]
	if known == nil {
		known = &outage{}
		m.outages[what] = known
	}
	known.Outage = o
	known.going = true
	if now.Sub(o.Since) < outageGrace || !known.told.IsZero() && now.Sub(known.told) < againAfter {
		return
	}
	known.told = now
	klog.FromContext(ctx).Error(o, "A cache is not fed, and gets older", "informer", o.Name,
		"for", now.Sub(o.Since).Round(time.Second).String())
}

// forgetGone forgets the outages of caches that have ended: these are not fed again.
func (m *Monitor) forgetGone(all []*Cache) {
	for what := range m.outages {
		if what.cache != nil && !slices.Contains(all, what.cache) {
			delete(m.outages, what)
		}
	}
}

// tellEnds tells of the outages that are over, if they were told.
func (m *Monitor) tellEnds(ctx context.Context, now time.Time) {
	for what, known := range m.outages {
		if known.going {
			continue
		}
		delete(m.outages, what)
		if known.told.IsZero() {
			continue
		}
		end := now
		if !known.Last.IsZero() {
			end = known.Last
		}
		klog.FromContext(ctx).Info("A cache is fed again", "informer", known.Name,
			"after", end.Sub(known.Since).Round(time.Second).String())
	}
}

// checkVersion tells of versions that run backwards.
func checkVersion(ctx context.Context, c *Cache) {
	from, to, yes := c.versions.rewound(c.LastSyncResourceVersion(), c.unit.Streams.LastRewind())
	if !yes {
		return
	}
	c.Count(Rewound)
	klog.FromContext(ctx).Error(
		fmt.Errorf("the API server went from version %s back to version %s", from, to),
		"Versions run backwards, as after a restore of etcd from a backup: the cache is filled anew", "informer", c.name)
}
