// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"slices"
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/stories"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/controller/snapshot"
)

// Stories returns what each controller knows of an object of a name: whether it is being reconciled or waits, for
// what and until when, and its last reconciles with why they ran and what they wrote. Controllers that know
// nothing of it are left out. It remembers the last 16 reconciles of each of the 2048 objects that were
// reconciled last. It is safe for concurrent use.
func (m *Manager) Stories(object Request) []*snapshot.Story {
	now := time.Now()
	all := []*snapshot.Story{}
	for _, c := range m.setup.all() {
		if s := m.storyOf(c, object, now); s != nil {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b *snapshot.Story) int { return strings.Compare(a.Controller, b.Controller) })
	return all
}

// storyOf returns what a controller knows of an object; nil for nothing.
func (m *Manager) storyOf(c *controllerRunner, object Request, now time.Time) *snapshot.Story {
	known := m.observers.stories.Of(stories.Key{Controller: c.name(), Item: object})
	kind := c.Config().Kind
	s := &snapshot.Story{
		Object: objectOf(object), Controller: c.name(), Kind: kind.String(), At: now, Cached: c.cached(object),
		Total: known.Total, Reconciles: make([]snapshot.Reconcile, 0, len(known.Records)),
	}
	if known.Total > 0 {
		s.First = &known.First
	}
	for i := range known.Records {
		r := reconcileOf(&known.Records[i], kind.Kind)
		setOwn(&r.Why, &known.Records[i].Event, known.Records)
		s.Reconciles = append(s.Reconciles, r)
	}
	for _, unit := range m.units.Live() {
		if unit.Kind == report.Item && unit.Owner == c.name() && unit.Key == object {
			item := m.itemOf(unit, now)
			s.InFlight = &item
		}
	}
	if waiter, ok := c.Waiter(object, now); ok {
		w := waiterOf(c, &waiter)
		event := stories.EventOf(waiter.Trigger)
		setOwn(&w.Why, &event, known.Records)
		s.Waiting = &w
	}
	switch {
	case c.sharded() && !m.shards.Has(object):
		s.Place = "slot"
	case !c.Serving():
		s.Place = "controller"
	}
	if !s.Cached && s.InFlight == nil && s.Waiting == nil && s.Total == 0 {
		return nil
	}
	return s
}

// setOwn says whether the event of a reconcile shows what one of these reconciles has written.
func setOwn(why *snapshot.Why, event *stories.Event, records []stories.Record) {
	if why.By == nil || event.Version == "" {
		return
	}
	why.By.Own = slices.ContainsFunc(records, func(r stories.Record) bool {
		return slices.ContainsFunc(r.Writes, func(w work.Written) bool {
			return w.Name == event.Name && w.Version == event.Version
		})
	})
}

func reconcileOf(r *stories.Record, kind string) snapshot.Reconcile {
	s := snapshot.Reconcile{
		Object: objectOf(r.Item), Controller: r.Controller, Attempt: r.Attempt, Began: r.Began,
		Why:    whyOf(r.Reason, r.Event, r.Triggers, r.Item, kind),
		Waited: snapshot.SecondsOf(max(0, r.Began.Sub(r.Ready))), Took: snapshot.SecondsOf(r.Took),
		Outcome: string(r.Outcome), Cause: r.Cause, Error: r.Error, Calls: r.Calls,
	}
	if r.Again {
		again := r.Began.Add(r.Took + r.After)
		s.Again = &again
	}
	for _, w := range r.Writes {
		s.Writes = append(s.Writes, snapshot.Write{
			Verb: w.Verb, Resource: w.Resource, Name: w.Name, Attempts: w.Attempts, WithoutEffect: w.WithoutEffect,
			Unknown: w.Unknown,
		})
	}
	return s
}

// recentOf returns the last reconciles. Of which kind an item is says only its controller.
func recentOf(records []stories.Record, kinds map[string]string) []snapshot.Reconcile {
	recent := make([]snapshot.Reconcile, 0, len(records))
	for i := range records {
		recent = append(recent, reconcileOf(&records[i], kinds[records[i].Controller]))
	}
	return recent
}

func (m *Manager) writersNow() []snapshot.Writer {
	all := []snapshot.Writer{}
	for _, w := range m.observers.stories.Writers() {
		all = append(all, snapshot.Writer{
			Controller: w.Controller, Verb: w.Verb, Resource: w.Resource, Writes: w.Writes,
			WithoutEffect: w.WithoutEffect, Unknown: w.Unknown, Last: w.Last, By: objectOf(w.By),
		})
	}
	return all
}
