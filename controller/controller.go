// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/pipeline"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// Controller reconciles the objects of one kind. [New] makes one.
type Controller[T Object] struct {
	manager   *Manager
	name      string
	kind      kind
	reconcile ReconcileFunc[T]
	options   Options
	indexer   cache.Indexer
	pipeline  *pipeline.Pipeline // nil after a mistake
}

// New adds a controller to m. The controller reconciles each object that is in the cache of
// informer when it starts, and each object that is added, changed or deleted later. A filter can
// drop events. name identifies the controller in logs, metrics and reports, and must be unique in
// the manager.
//
// New must be called before [Manager.Run], which returns all mistakes in the arguments before it
// starts anything. If New is called after Run has begun, Run ends with [ErrLate]. It is safe for
// concurrent use.
func New[T Object](
	m *Manager, name string, informer cache.TypedSharedIndexInformer[T], reconcile ReconcileFunc[T],
	options Options, sourceOptions ...SourceOption[T],
) *Controller[T] {
	options.setDefaults(&m.options)
	c := &Controller[T]{manager: m, name: name, reconcile: reconcile, options: options}
	if err := c.validate(informer == nil); err != nil {
		m.setup.mistake(err)
		return c
	}
	settings := collectOptions(sourceOptions)
	c.kind = kind{stated: schema.GroupKind{Kind: reflect.TypeFor[T]().Elem().Name()}}
	if settings.kind != nil {
		c.kind = kind{stated: *settings.kind, known: true}
	}
	c.indexer = informer.GetIndexer()
	inTerm := m.leader != nil && !options.EveryReplica
	c.pipeline = pipeline.New(c.config())
	source := addSource(c, informer, nil, settings)
	if source == nil {
		return c
	}
	c.kind.cache = source.cache
	m.setup.addController(
		&controllerRunner{Pipeline: c.pipeline, inTerm: inTerm, hurry: m.hurry.closed},
	)
	return c
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
		Name: c.name, Type: c.groupKind, Workers: c.options.Workers, Backoff: c.options.Backoff,
		Limits: work.Limits{
			Item: c.options.Timeout, Reserve: c.options.Reserve, External: m.options.CallTimeouts.External,
		},
		SyncTimeout: m.options.SyncTimeout, DrainTimeout: c.options.DrainTimeout,
		SupersedeLimit: c.options.SupersedeLimit,
		Read:           c.read, Reconcile: c.reconcileItem,
		Observers: m.observers.all, Reasons: m.observers.reasons, Stacks: m.options.StragglerStacks,
	}
}

func (c *Controller[T]) groupKind() schema.GroupKind { return c.kind.groupKind() }

// read returns the object as it is in the cache, or nil if it is not there.
func (c *Controller[T]) read(request Request) (metav1.Object, error) {
	cached, exists, err := c.indexer.GetByKey(request.String())
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
	case !exists && c.options.OnDeleted != nil:
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

// Owns makes c reconcile the owner when an object of informer is added, changed or deleted. The
// owner is the object that the controlling owner reference of the changed object names.
//
// Owns must be called before [Manager.Run], which returns all mistakes in the arguments.
func Owns[T, O Object](
	c *Controller[T], informer cache.TypedSharedIndexInformer[O], options ...SourceOption[O],
) {
	mapping := func(_ context.Context, owned O) []Request { return c.ownerOf(owned) }
	addSource(c, informer, mapping, collectOptions(options))
}

// Watches makes c reconcile further objects. When an object of informer is added, changed or
// deleted, c calls mapping with that object and reconciles the objects that mapping returns.
//
// Watches must be called before [Manager.Run], which returns all mistakes in the arguments.
func Watches[T, O Object](
	c *Controller[T],
	informer cache.TypedSharedIndexInformer[O],
	mapping MapFunc[O],
	options ...SourceOption[O],
) {
	if mapping == nil {
		c.manager.setup.mistake(
			fmt.Errorf("controller %q watches %T without a mapping", c.name, *new(O)),
		)
		return
	}
	addSource(c, informer, mapping, collectOptions(options))
}

// ownerOf returns the controlling owner, if the controller reconciles it. It goes by kind and name
// rather than by UID: what a deleted object leaves behind concerns the object that has taken its
// name.
func (c *Controller[T]) ownerOf(owned metav1.Object) []Request {
	ref := metav1.GetControllerOfNoCopy(owned)
	if ref == nil || !c.kind.isOwner(ref) {
		return nil
	}
	// An owner lives in the same namespace or in none. One that is not in the cache yet will come
	// to the queue by its own event.
	for _, request := range []Request{{Namespace: owned.GetNamespace(), Name: ref.Name}, {Name: ref.Name}} {
		if _, exists, err := c.indexer.GetByKey(request.String()); err == nil && exists {
			return []Request{request}
		}
	}
	return nil
}

// addSource adds an informer as a source. Without a mapping it feeds the objects to reconcile. It
// returns nil after a mistake.
func addSource[T, O Object](
	c *Controller[T],
	informer cache.TypedSharedIndexInformer[O],
	mapping MapFunc[O],
	settings sourceSettings[O],
) *informerSource[O] {
	if c.pipeline == nil {
		return nil // New has told of a mistake
	}
	m := c.manager
	if informer == nil {
		m.setup.mistake(fmt.Errorf("controller %q: its informer for %T is nil", c.name, *new(O)))
		return nil
	}
	source := &informerSource[O]{informer: informer, mapping: mapping, filters: settings.filters}
	if annotations := m.observers.annotations; annotations != nil {
		source.filters = append(
			slices.Clone(source.filters), notOnlyTraced[O](annotations.OnlyTraceChanged))
	}
	what := fmt.Sprintf("controller %q: its informer for %T", c.name, *new(O))
	added := m.setup.add(what, func() (err error) {
		if source.cache, err = m.informers.Add(informer, caches.Settings{}); err != nil {
			return fmt.Errorf("controller %q: %w", c.name, err)
		}
		c.pipeline.AddSource(source)
		return nil
	})
	if !added {
		return nil
	}
	return source
}

// notOnlyTraced drops updates that change nothing but the annotation that carries traces.
func notOnlyTraced[O Object](onlyTraceChanged func(before, after metav1.Object) bool) Filter[O] {
	return func(_ context.Context, event Event[O]) bool {
		return event.Type != Updated || !onlyTraceChanged(event.Old, event.New)
	}
}
