// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/pipeline"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// Controller reconciles the objects of one kind. [New] makes one.
type Controller[T Object] struct {
	manager   *Manager
	name      string
	kind      schema.GroupKind
	reconcile ReconcileFunc[T]
	options   Options
	objects   objects
	unsynced  unsynced
	pipeline  *pipeline.Pipeline // nil after a mistake
	runner    *controllerRunner  // nil after a mistake

	mu      sync.Mutex
	sources map[*Source]struct{}
	removed bool
}

// Stop ends the controller alone: its items are cancelled with [cause.Stopped], its event handlers
// are removed, and informers that nothing else uses end. It does not wait: see [Controller.Stopped].
// It is safe for concurrent use, also from the controller's own reconcile function.
func (c *Controller[T]) Stop() {
	if c.runner != nil {
		c.runner.part.Stop(causeOfStop("controller %q", c.name))
	}
}

// keep keeps a source until it is stopped, at the latest with the controller. objects is the cache of
// the source, if it may hold objects that the controller reconciles.
func (c *Controller[T]) keep(source *Source, objects cache.Indexer) {
	stop := source.stop
	if stop == nil {
		return // a mistake, which has been told
	}
	source.stop = func() {
		c.mu.Lock()
		delete(c.sources, source)
		c.mu.Unlock()
		stop()
		c.unsynced.remove(source)
		c.objects.remove(objects)
	}
	c.mu.Lock()
	removed := c.removed
	if c.sources == nil {
		c.sources = map[*Source]struct{}{}
	}
	c.sources[source] = struct{}{}
	c.mu.Unlock()
	if removed {
		source.Stop()
	}
}

// remove removes the controller, which has stopped, from the manager.
func (c *Controller[T]) remove() {
	c.mu.Lock()
	c.removed = true
	sources := slices.Collect(maps.Keys(c.sources))
	c.mu.Unlock()
	for _, source := range sources {
		source.Stop()
	}
	c.manager.setup.removeController(c.runner)
	c.manager.observers.all.ControllerRemoved(c.name)
}

// Stopped is closed when nothing of the controller runs any more after [Controller.Stop].
func (c *Controller[T]) Stopped() <-chan struct{} {
	if c.runner == nil {
		return alreadyClosed()
	}
	return c.runner.part.Stopped()
}

func (c *Controller[T]) validate(noInformer bool) error {
	var errs []error
	if c.name == "" {
		errs = append(errs, errors.New("it has no name"))
	}
	if noInformer {
		errs = append(errs, errors.New("its informer is nil"))
	}
	if c.reconcile == nil {
		errs = append(errs, errors.New("its reconcile function is nil"))
	}
	if err := errors.Join(append(errs, c.options.validate(&c.manager.options))...); err != nil {
		return fmt.Errorf("controller %q: %w", c.name, err)
	}
	return nil
}

func (c *Controller[T]) config() pipeline.Config {
	m := c.manager
	return pipeline.Config{
		Name: c.name, MetricsName: cmp.Or(c.options.MetricsName, c.name), Kind: c.kind, Workers: c.options.Workers, Backoff: c.options.Backoff,
		Limits: work.Limits{
			Item: c.options.Timeout, Reserve: c.options.Reserve, External: m.options.CallTimeouts.External,
		},
		SyncTimeout: m.options.SyncTimeout, DrainTimeout: c.options.DrainTimeout,
		SupersedeLimit: c.options.SupersedeLimit,
		FairBy:         c.options.FairBy, Priority: c.options.Priority,
		Gate:   c.gate(),
		Caches: m.informers.caches, Read: c.read, Reconcile: c.reconcileItem,
		Observers: m.observers.all, Stacks: m.options.StragglerStacks,
	}
}

func (c *Controller[T]) gate() pipeline.Gate {
	return &gate{
		unsynced: &c.unsynced, writes: c.manager.writes, loops: c.manager.loops, stale: c.options.AllowStaleReads,
		controller: c.name, kind: c.kind, list: c.manager.listMetadata,
	}
}

// read returns the object as it is in the cache, or nil if it is not there.
func (c *Controller[T]) read(request Request) (metav1.Object, error) {
	cached, exists, err := c.objects.get(request)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s %s from the cache: %w", c.kind, request, err)
	case !exists:
		return nil, nil //nolint:nilnil // the interface of pipeline.Config.Read
	}
	object, ok := cached.(T)
	if !ok {
		return nil, TerminalError(
			fmt.Errorf("the cache holds a %T for %s, not a %s", cached, request, c.kind),
		)
	}
	return object, nil
}

// reconcileItem calls the user's function for an item.
func (c *Controller[T]) reconcileItem(ctx context.Context, item *observe.Item) (Result, error) {
	cached, exists := item.Object.(T)
	switch {
	case !exists && c.options.OnDeleted != nil && c.objects.cover(item.Key):
		return c.options.OnDeleted(ctx, item.Key)
	case !exists:
		return Result{}, nil
	case !c.options.DisableDeepCopy:
		return c.reconcile(ctx, cached.DeepCopyObject().(T))
	case !c.options.DetectMutations:
		return c.reconcile(ctx, cached)
	}
	before := cached.DeepCopyObject()
	result, err := c.reconcile(ctx, cached)
	if !equality.Semantic.DeepEqual(before, cached) {
		err = TerminalError(
			fmt.Errorf("the reconcile of %s %s changed the cached object, which is shared: "+
				"change a copy, or do not set DisableDeepCopy", c.kind, klog.KObj(cached)),
		)
	}
	return result, err
}

// ownerOf returns the controlling owner, if the controller reconciles it. It goes by kind and name
// rather than by UID: what a deleted object leaves behind concerns the object that has taken its
// name.
func (c *Controller[T]) ownerOf(owned metav1.Object) []Request {
	ref := metav1.GetControllerOfNoCopy(owned)
	if ref == nil || !isOwner(ref, c.kind) {
		return nil
	}
	// An owner lives in the same namespace or in none. One that is not in the cache yet will come
	// to the queue by its own event.
	for _, request := range []Request{{Namespace: owned.GetNamespace(), Name: ref.Name}, {Name: ref.Name}} {
		if _, exists, err := c.objects.get(request); err == nil && exists {
			return []Request{request}
		}
	}
	return nil
}
