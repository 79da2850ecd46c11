package controller

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"go.opentelemetry.io/otel/trace"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// MapFunc names the objects that are to be reconciled because of another one. It reads caches, not the
// API: it runs on the goroutine that delivers events. ctx descends from Run's (C1). For an update it is
// called with the old state and with the new one.
type MapFunc[O Object] func(ctx context.Context, object O) []Request

// source is one informer whose events reach a controller's queue.
type source struct {
	informer *informer
	start    func(ctx context.Context) (cache.ResourceEventHandlerRegistration, error)
}

// Owns has an object reconciled also when something of which it is the controlling owner appears,
// changes or is deleted.
func Owns[T, O Object](c *Controller[T], informer cache.TypedSharedIndexInformer[O], filters ...Filter[O]) {
	addSource(c, informer, func(_ context.Context, owned O) []Request { return c.ownerOf(owned) }, filters, nil)
}

// Watches has the objects reconciled that mapping names when an object of another kind, or another
// object of their own kind, appears, changes or is deleted.
func Watches[T, O Object](c *Controller[T], informer cache.TypedSharedIndexInformer[O], mapping MapFunc[O], filters ...Filter[O]) {
	if mapping == nil {
		c.manager.mistake(fmt.Errorf("controller %q watches %T without a mapping", c.title, *new(O)))
		return
	}
	addSource(c, informer, mapping, filters, nil)
}

func nameOf(object metav1.Object) Request {
	return Request{Namespace: object.GetNamespace(), Name: object.GetName()}
}

// ownerOf finds the controlling owner by kind and name rather than by UID: what a deleted object
// leaves behind concerns the one that has taken its name.
func (c *Controller[T]) ownerOf(owned metav1.Object) []Request {
	ref := metav1.GetControllerOfNoCopy(owned)
	if ref == nil || ref.Kind != c.kind {
		return nil
	}
	// An owner lives in the same namespace or in none. One that is not in the cache yet will come to
	// the queue by its own event.
	for _, name := range []Request{{Namespace: owned.GetNamespace(), Name: ref.Name}, {Name: ref.Name}} {
		if _, exists, err := c.indexer.GetByKey(storeKey(name)); err == nil && exists {
			return []Request{name}
		}
	}
	return nil
}

// addSource has the events of an informer that pass all filters reach the queue; then, if given, queued is
// called. Without a mapping its objects are the controller's own.
func addSource[T, O Object](c *Controller[T], shared cache.TypedSharedIndexInformer[O], mapping MapFunc[O], filters []Filter[O], queued func(Event[O])) {
	if shared == nil {
		c.manager.mistake(fmt.Errorf("controller %q: its informer for %T is nil", c.title, *new(O)))
		return
	}
	inf, err := c.manager.informers.add(shared, InformerOptions{})
	if err != nil {
		c.manager.mistake(fmt.Errorf("controller %q: %w", c.title, err))
		return
	}
	if c.manager.annotations != nil {
		filters = append(slices.Clone(filters), notOnlyTraced[O](c.manager.annotations))
	}
	c.sources = append(c.sources, source{informer: inf, start: func(ctx context.Context) (cache.ResourceEventHandlerRegistration, error) {
		logger := klog.FromContext(ctx)
		handler := &eventHandler[O]{ctx: ctx, mapping: mapping, filters: filters, queued: queued}
		order, add := c.order, c.queue.Add
		handler.enqueue = func(event Event[O], request Request) {
			if event.canWait() {
				order.AddLater(add, request)
				return
			}
			add(request)
		}
		if c.triggers != nil {
			handler.note = func(event Event[O], request Request, link trace.Link) {
				c.noteTrigger(request, reasonFor(event, mapping != nil), 0, link)
			}
		}
		if c.triggers != nil && c.consumer != nil {
			handler.link = func(event Event[O]) trace.Link {
				link, _ := c.consumer.Take(event.object())
				return link
			}
		}
		return shared.AddTypedEventHandler(handler, cache.HandlerOptions{Logger: &logger})
	}})
}

// eventHandler turns an informer's events into requests. client-go calls handlers without a context;
// this one carries the controller's, so that filters and mappings see it (C1).
type eventHandler[O Object] struct {
	ctx     context.Context //ctxvet:ok ctxfield: client-go's handlers have no context parameter
	mapping MapFunc[O]      // nil: the object itself is to be reconciled
	filters []Filter[O]
	enqueue func(Event[O], Request)
	note    func(Event[O], Request, trace.Link) // is called before each enqueue; may be nil
	link    func(Event[O]) trace.Link           // of the event, taken once for all that it concerns; may be nil
	queued  func(Event[O])                      // is called after them; may be nil
}

func (h *eventHandler[O]) OnAdd(object O, initial bool) {
	h.handle(Event[O]{Type: Added, New: object, Initial: initial}, object)
}

func (h *eventHandler[O]) OnUpdate(before, after O) {
	h.handle(Event[O]{Type: Updated, Old: before, New: after}, before, after)
}

func (h *eventHandler[O]) OnDelete(deleted cache.DeletedObject[O]) {
	if object := deleted.OptionalObj; object != *new(O) {
		h.handle(Event[O]{Type: Deleted, Old: object}, object)
	}
}

// handle contains panics of user code, which on this goroutine would end the process.
func (h *eventHandler[O]) handle(event Event[O], states ...O) {
	if h.ctx.Err() != nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			klog.FromContext(h.ctx).Error(fmt.Errorf("panic: %v", p), "A filter or mapping panicked, the event is lost",
				"event", event.Type, "type", fmt.Sprintf("%T", states[0]), "object", klog.KObj(states[0]), "stack", string(debug.Stack()))
		}
	}()
	for _, passes := range h.filters {
		if !passes(h.ctx, event) {
			return
		}
	}
	h.queue(event, states)
	if h.queued != nil {
		h.queued(event)
	}
}

// queue puts what the event concerns into the queue, each item once: one that the old state and the new one
// name might otherwise be taken in between, and again.
func (h *eventHandler[O]) queue(event Event[O], states []O) {
	if h.mapping == nil {
		h.put(event, nameOf(states[0]), h.linkOf(event))
		return
	}
	var (
		before []Request
		link   trace.Link
		linked bool
	)
	for _, state := range states {
		requests := h.mapping(h.ctx, state)
		for i, request := range requests {
			if i < len(before) && before[i] == request || slices.Contains(before, request) {
				continue
			}
			if !linked {
				link, linked = h.linkOf(event), true
			}
			h.put(event, request, link)
		}
		before = requests
	}
}

func (h *eventHandler[O]) linkOf(event Event[O]) trace.Link {
	if h.link == nil {
		return trace.Link{}
	}
	return h.link(event)
}

func (h *eventHandler[O]) put(event Event[O], request Request, link trace.Link) {
	if h.note != nil {
		h.note(event, request, link)
	}
	h.enqueue(event, request)
}

func storeKey(name types.NamespacedName) string {
	return cache.NewObjectName(name.Namespace, name.Name).String()
}
