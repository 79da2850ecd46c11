// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// userCalls makes the calls of filters and mappings, which run on a goroutine of client-go. It knows
// which one runs, and contains panics, which on that goroutine would end the process.
type userCalls struct {
	caches.Busy
	cache *caches.Cache
	again caches.Again
}

// call calls a function of the user for an object. panicked reports whether it panicked; instead says
// in the log what is done instead.
func (c *userCalls) call(ctx context.Context, what string, object klog.KMetadata, instead string, f func()) (panicked bool) {
	c.Begin(what, object)
	defer c.End()
	defer func() {
		if p := recover(); p != nil {
			panicked = true
			c.tell(ctx, what, object, instead, p)
		}
	}()
	f()
	return false
}

func (c *userCalls) tell(ctx context.Context, what string, object klog.KMetadata, instead string, value any) {
	c.cache.Count(caches.Handler)
	err := fmt.Errorf("panic: %v", value)
	due, missed := c.again.Due(what+err.Error(), time.Now())
	if !due {
		return
	}
	klog.FromContext(ctx).Error(err, "A "+what+" panicked, "+instead, "informer", c.cache.Name(),
		"object", klog.KObj(object), "suppressed", missed, "stack", string(debug.Stack()))
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
