// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/pipeline"
	"github.com/lanyard-k8s/lanyard/controller/internal/reasons"
	"github.com/lanyard-k8s/lanyard/controller/internal/sharding"
	"github.com/lanyard-k8s/lanyard/controller/internal/stories"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/controller/snapshot"
)

func objectOf(request Request) snapshot.Object {
	return snapshot.Object{Namespace: request.Namespace, Name: request.Name}
}

// inFlightNow returns the items in flight of each controller, the oldest first.
func (m *Manager) inFlightNow(live []*work.Unit, now time.Time) map[string][]snapshot.Item {
	all := map[string][]snapshot.Item{}
	for _, unit := range live {
		if unit.Kind == report.Item {
			all[unit.Owner] = append(all[unit.Owner], m.itemOf(unit, now))
		}
	}
	return all
}

func (m *Manager) itemOf(unit *work.Unit, now time.Time) snapshot.Item {
	ends, _ := unit.Ends()
	s := snapshot.Item{
		Object: objectOf(unit.Key), Began: unit.Start, Age: snapshot.SecondsOf(now.Sub(unit.Start)),
		Left: snapshot.SecondsOf(ends.Sub(now)), Stuck: now.After(ends), Attempt: unit.Attempt,
		Calls: callsOf(unit, now),
	}
	if item, ok := unit.Detail.(*observe.Item); ok { // what is read here does not change any more
		s.Why = whyOf(item.Reason, stories.EventOf(item.Trigger), item.Triggers, unit.Key, item.ObjectKind.Kind)
	}
	if m.shards != nil && unit.Term != nil {
		slot := sharding.SlotOf(m.shards.key(unit.Key), m.shards.slots)
		s.Slot = &slot
	}
	return s
}

// callsOf returns the calls of a unit that have not ended. Between two attempts at a call there is none; the
// wait stands for it.
func callsOf(unit *work.Unit, now time.Time) []snapshot.Call {
	calls := []snapshot.Call{}
	for _, c := range unit.Outstanding() {
		calls = append(calls, snapshot.Call{
			Verb: c.Verb, Resource: c.Resource, Namespace: c.Namespace, Name: c.Name, Path: c.Path,
			Phase: phaseOf(&c), Age: snapshot.SecondsOf(now.Sub(c.Start)),
		})
	}
	if len(calls) == 0 && unit.PausedUntil().After(now) {
		calls = append(calls, snapshot.Call{Phase: snapshot.Throttled})
	}
	return calls
}

func phaseOf(c *work.Outstanding) snapshot.Phase {
	switch {
	case c.RateLimited:
		return snapshot.Throttled
	case c.Waiting:
		return snapshot.Waiting
	}
	switch c.Phase {
	case work.Sent:
		return snapshot.Sent
	case work.Held:
		return snapshot.Fenced
	case work.Reading:
		return snapshot.Reading
	case work.Unsent:
	}
	return snapshot.Preparing
}

func waiterOf(c *controllerRunner, w *pipeline.Waiter) snapshot.Waiter {
	s := snapshot.Waiter{
		Object: objectOf(w.Item), Since: w.Ready,
		Why: whyOf(w.Reason, stories.EventOf(w.Trigger), w.Count, w.Item, c.Config().Kind.Kind),
	}
	if !w.Until.IsZero() {
		s.Until = &w.Until
	}
	switch w.For {
	case pipeline.ForWorker:
		s.State = snapshot.ForWorker
	case pipeline.ForCache:
		s.State = snapshot.ForCache
	case pipeline.ForRest:
		s.State = snapshot.ForRest
	case pipeline.ForTime:
		s.State = snapshot.ForTime
	}
	return s
}

// whyOf returns why an item of a kind is reconciled.
func whyOf(reason reconcile.Reason, event stories.Event, events int, item Request, kind string) snapshot.Why {
	why := snapshot.Why{Reason: string(reason), Events: events}
	if event == (stories.Event{}) {
		return why
	}
	why.By = &snapshot.Trigger{
		Object: snapshot.Object{Namespace: event.Namespace, Name: event.Name}, Kind: event.Kind,
		Change: changeName(event.Change),
		Self:   event.Kind == kind && event.Namespace == item.Namespace && event.Name == item.Name,
	}
	return why
}

func changeName(c reasons.Change) string {
	switch c {
	case reasons.Created:
		return "created"
	case reasons.Deleted:
		return "deleted"
	case reasons.Deleting:
		return "deleting"
	case reasons.Spec:
		return "spec"
	case reasons.Status:
		return "status"
	case reasons.Content:
		return "content"
	case reasons.NoChange:
	}
	return ""
}
