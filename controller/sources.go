// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
)

// Owns makes c reconcile the owner when an object of informer is added, changed or deleted. The
// owner is the object that the controlling owner reference of the changed object names.
//
// If the controller runs already, it reconciles the owners of all objects of informer.
func Owns[T, O Object](
	c *Controller[T], informer cache.TypedSharedIndexInformer[O], options ...SourceOption[O],
) *Source {
	mapping := func(_ context.Context, owned O) []Request { return c.ownerOf(owned) }
	return addSource(c, informer, mapping, collectOptions(options))
}

// Watches makes c reconcile further objects. When an object of informer is added, changed or
// deleted, c calls mapping with that object and reconciles the objects that mapping returns.
//
// If the controller runs already, it does so for all objects of informer.
func Watches[T, O Object](
	c *Controller[T],
	informer cache.TypedSharedIndexInformer[O],
	mapping MapFunc[O],
	options ...SourceOption[O],
) *Source {
	if mapping == nil {
		c.manager.setup.mistake(
			fmt.Errorf("controller %q watches %T without a mapping", c.name, *new(O)),
		)
		return &Source{}
	}
	return addSource(c, informer, mapping, collectOptions(options))
}

// addSource adds an informer as a source. Without a mapping it feeds the objects to reconcile. After
// a mistake the Source has no informer.
func addSource[T, O Object](
	c *Controller[T], informer cache.TypedSharedIndexInformer[O], mapping MapFunc[O], settings sourceSettings[O],
) *Source {
	if c.pipeline == nil {
		return &Source{} // New has told of a mistake
	}
	if informer == nil {
		c.manager.setup.mistake(fmt.Errorf("controller %q: its informer for %T is nil", c.name, *new(O)))
		return &Source{}
	}
	if annotations := c.manager.observers.annotations; annotations != nil {
		settings.filters = append(
			slices.Clone(settings.filters), notOnlyTraced[O](annotations.OnlyTraceChanged))
	}
	kind, err := kindOf(c.manager, informer, &settings)
	if err != nil {
		c.manager.setup.mistake(fmt.Errorf("controller %q: its informer for %T: %w", c.name, *new(O), err))
		return &Source{}
	}
	settings.kind = &kind
	var objects cache.Indexer
	if _, ok := any(informer).(cache.TypedSharedIndexInformer[T]); ok && kind == c.kind {
		objects = informer.GetIndexer() // it may hold objects that the controller reconciles
		c.objects.add(objects)
	}
	var source *Source
	if each, ok := informer.(*namespacedInformer[O]); ok {
		source = attachEach(c, each, mapping, settings)
	} else {
		source = attach(c, informer, mapping, settings)
	}
	c.keep(source, objects)
	return source
}

// attach adds one informer as a source.
func attach[T, O Object](
	c *Controller[T], informer cache.TypedSharedIndexInformer[O], mapping MapFunc[O], settings sourceSettings[O],
) *Source {
	m := c.manager
	feeding := &informerSource[O]{
		writes: m.writes, synced: settings.whenSynced(), informer: informer, mapping: mapping, filters: settings.filters, all: c.objects.requests,
	}
	source := &Source{}
	user := userOf(informer, *settings.kind, reflect.TypeFor[O]())
	m.setup.add(func(run *lifecycle.Run) (err error) {
		if feeding.cache, err = m.informers.use(informer, user, run); err != nil {
			return fmt.Errorf("controller %q: %w", c.name, err)
		}
		if err := c.pipeline.AddSource(feeding); err != nil {
			m.informers.release(feeding.cache)
			return err
		}
		source.cache = feeding.cache
		source.stop = func() {
			c.pipeline.RemoveSource(feeding)
			m.informers.release(feeding.cache)
		}
		return nil
	})
	return source
}

// notOnlyTraced drops updates that change nothing but the annotation that carries traces.
func notOnlyTraced[O Object](onlyTraceChanged func(before, after metav1.Object) bool) Filter[O] {
	return func(_ context.Context, event Event[O]) bool {
		return event.Type != Updated || !onlyTraceChanged(event.Old, event.New)
	}
}

// attachEach adds a source for each namespace, now and in the future.
func attachEach[T, O Object](
	c *Controller[T], informer *namespacedInformer[O], mapping MapFunc[O], settings sourceSettings[O],
) *Source {
	if mapping == nil {
		covered := func(request Request) bool { return informer.namespaces.has(request.Namespace) }
		c.objects.covered.Store(&covered)
	}
	all := &Source{}
	c.unsynced.add(all, informer.syncedIn)
	settings.synced = c.unsynced.wake
	all.stop = informer.each(func(namespace string, one cache.TypedSharedIndexInformer[O]) func() {
		settings := settings
		settings.namespace = namespace
		source := attach(c, one, mapping, settings)
		return func() {
			source.Stop()
			if mapping == nil {
				c.pipeline.Cancel(
					func(request Request) bool { return request.Namespace == namespace },
					causeOfStop("namespace %q of controller %q", namespace, c.name))
			}
		}
	})
	return all
}
