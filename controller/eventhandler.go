// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/clientgo"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/pipeline"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// eventHandler adds the items of an informer's events to a queue. client-go calls a handler from
// one goroutine, without a context; this one has the controller's, for filters and mappings.
type eventHandler[O Object] struct {
	ctx     context.Context //ctxvet:ok ctxfield: client-go's handlers have no context parameter
	queue   *pipeline.Queue
	mapping MapFunc[O] // nil: the item is the event's own object
	filters []Filter[O]
	calls   *userCalls          // of filters and the mapping
	seen    func(metav1.Object) // is told of each event, when its items are in the queue
	sweep   *sweep              // takes the place of a mapping that panicked
	enqueue observe.Enqueue     // used for one event after the other
}

// OnAdd handles an object that appeared.
func (h *eventHandler[O]) OnAdd(object O, initial bool) {
	h.handle(Event[O]{Type: Added, New: object, Initial: initial}, object)
	h.seen(object)
}

// OnUpdate handles a change, or a resync.
func (h *eventHandler[O]) OnUpdate(before, after O) {
	if !clientgo.Relisted(before, after) || !equality.Semantic.DeepEqual(before, after) {
		h.handle(Event[O]{Type: Updated, Old: before, New: after}, before, after)
	}
	h.seen(after)
}

// OnDelete handles a deletion. It ignores a deletion of which the last state of the object is
// unknown: the object was never in the cache then.
func (h *eventHandler[O]) OnDelete(deleted cache.DeletedObject[O]) {
	if object := deleted.OptionalObj; object != *new(O) {
		h.handle(Event[O]{Type: Deleted, Old: object}, object)
		h.seen(object)
	}
}

func (h *eventHandler[O]) handle(event Event[O], states ...O) {
	if h.ctx.Err() != nil {
		return
	}
	object := event.object()
	h.enqueue = observe.Enqueue{
		Reason: reasonOf(event, h.mapping != nil), Object: object, Requests: h.enqueue.Requests[:0],
		Deleted: event.Type == Deleted,
	}
	if event.Type == Updated {
		h.enqueue.Before = event.Old
	}
	if h.passes(event) {
		h.collect(states)
	}
	if len(h.enqueue.Requests) == 0 {
		return
	}
	h.queue.Add(h.ctx, &h.enqueue, event.unchanged())
	if h.mapping == nil {
		h.supersede(event)
	}
}

// passes reports whether an event passes the filters. It passes one that panics, so that nothing is
// lost.
func (h *eventHandler[O]) passes(event Event[O]) (passes bool) {
	if len(h.filters) == 0 {
		return true
	}
	panicked := h.calls.call(h.ctx, "filter", event.object(), "the event passes", func() {
		passes = !slices.ContainsFunc(h.filters, func(f Filter[O]) bool { return !f(h.ctx, event) })
	})
	return passes || panicked
}

// collect collects the items of an event with the given states of its object.
func (h *eventHandler[O]) collect(states []O) {
	if h.mapping == nil {
		h.enqueue.Requests = append(h.enqueue.Requests, reconcile.RequestFor(states[0]))
		return
	}
	var before []Request
	for _, state := range states {
		requests := h.mapped(state)
		for i, request := range requests {
			if i < len(before) && before[i] == request || slices.Contains(before, request) {
				continue
			}
			h.enqueue.Requests = append(h.enqueue.Requests, request)
		}
		before = requests
	}
}

// mapped returns what the mapping returns. If it panics, nobody knows which objects depend on this
// one, so all are reconciled.
func (h *eventHandler[O]) mapped(state O) (requests []Request) {
	const instead = "all objects of the controller are reconciled, because any may be concerned"
	if h.calls.call(h.ctx, "mapping", state, instead, func() { requests = h.mapping(h.ctx, state) }) {
		h.sweep.ask()
		return nil
	}
	return requests
}

// supersede cancels the reconcile of an object that has another spec now, is another object, or is
// gone. A change of the status or the metadata alone does not.
func (h *eventHandler[O]) supersede(event Event[O]) {
	switch event.Type {
	case Updated:
		why := cause.Superseded
		if event.New.GetDeletionTimestamp() != nil {
			why = cause.ObjectDeleted // it has finalizers, and the deletion timestamp is a new generation
		}
		h.queue.Supersede(reconcile.RequestFor(event.New), why, func(s pipeline.State) bool {
			return s.UID != event.New.GetUID() || s.Generation < event.New.GetGeneration()
		})
	case Deleted:
		h.queue.Supersede(
			reconcile.RequestFor(event.Old),
			cause.ObjectDeleted,
			func(s pipeline.State) bool {
				return s.UID == event.Old.GetUID()
			},
		)
	case Added: // there was no object of that name to reconcile
	}
}

// reasonOf returns why an event leads to a reconcile. related reports whether it is the event of
// another object than the one to reconcile.
func reasonOf[O Object](event Event[O], related bool) reconcile.Reason {
	switch {
	case event.Initial:
		return reconcile.StartUp
	case event.unchanged():
		return reconcile.Resync
	case related:
		return reconcile.RelatedChanged
	default:
		return reconcile.ObjectChanged
	}
}

// object returns the last known state.
func (e Event[O]) object() O {
	if e.New != *new(O) {
		return e.New
	}
	return e.Old
}

// unchanged reports whether nothing happened to the object: it existed at the start, or is
// resynced.
func (e Event[O]) unchanged() bool {
	return e.Initial ||
		e.Type == Updated && e.Old.GetResourceVersion() == e.New.GetResourceVersion()
}
