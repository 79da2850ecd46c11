// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"slices"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/reasons"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// story is the last reconciles of one object: a ring.
type story struct {
	key          Key
	entries      []*entry // a ring
	next         int
	total        int64
	first        time.Time
	newer, older *story
}

// entry is a record as it is kept. There are up to Each for each of Objects, and each garbage collection looks
// through them, so they are small.
type entry struct {
	of                  *story
	reason              reconcile.Reason
	outcome             reconcile.Outcome
	event               event
	waited, took, after time.Duration
	began               int64 // in Unix nanoseconds
	failure             *failure
	writes              []work.Written
	calls               int
	triggers, attempt   int
	again               bool
	kept                int8 // in how many rings it is
}

// event is an event as it is kept.
type event struct {
	kind, version string             // kind is empty if there is none
	about         *reconcile.Request // nil: the item
	change        reasons.Change
}

// failure is what few records have.
type failure struct{ cause, err string }

// eventOf returns what is kept of the trigger of an item.
func eventOf(item reconcile.Request, t reasons.Trigger) event {
	if t.Object == nil {
		return event{}
	}
	e := event{kind: kindOf(t.Object), version: t.Object.GetResourceVersion(), change: t.Change}
	if t.Object.GetName() != item.Name || t.Object.GetNamespace() != item.Namespace {
		about := reconcile.RequestFor(t.Object)
		e.about = &about
	}
	return e
}

// record returns an entry as others get it.
func (e *entry) record() Record {
	r := Record{
		Key: e.of.key, Reason: e.reason, Triggers: e.triggers, Attempt: e.attempt,
		Began: time.Unix(0, e.began), Took: e.took, Outcome: e.outcome, Again: e.again, After: e.after,
		Calls: e.calls, Writes: slices.Clone(e.writes),
	}
	r.Ready = r.Began.Add(-e.waited)
	if e.event.kind != "" {
		about := e.of.key.Item
		if e.event.about != nil {
			about = *e.event.about
		}
		r.Event = Event{
			Kind: e.event.kind, Namespace: about.Namespace, Name: about.Name, Version: e.event.version, Change: e.event.change,
		}
	}
	if e.failure != nil {
		r.Cause = e.failure.cause
		r.Error = e.failure.err
	}
	return r
}
