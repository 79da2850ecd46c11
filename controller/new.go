// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"

	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
	"github.com/lanyard-k8s/lanyard/controller/internal/pipeline"
)

// New adds a controller to m. The controller reconciles each object that is in the cache of
// informer when it starts, and each object that is added, changed or deleted later. A filter can
// drop events. name identifies the controller in logs, metrics and reports, and must be unique in
// the manager.
//
// If Run has begun, the controller starts at once, in a term of leadership if it needs one. If its
// caches do not sync, it goes on trying, and the others do not notice: see ManagerOptions.SyncTimeout.
// [Controller.Stop] ends it alone. Mistakes in the arguments are returned by [Manager.Run], all at
// once and before it starts anything; a mistake after Run has begun ends the run. New is safe for
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
	var err error
	if c.kind, err = kindOf(m, informer, &settings); err != nil {
		m.setup.mistake(fmt.Errorf("controller %q: %w", c.name, err))
		return c
	}
	config := c.config()
	_, config.Cancellable = informer.(*namespacedInformer[T])
	config.Rounds = m.planning.rounds()
	config.Complete = func() { m.planning.done(c.runner) }
	sharded := options.Sharded && m.shards != nil
	if sharded {
		config.Shards = m.shards
	}
	c.pipeline = pipeline.New(config)
	source := addSource(c, informer, nil, settings)
	if source.stop == nil {
		return c
	}
	c.runner = &controllerRunner{
		Pipeline: c.pipeline, inTerm: m.leader != nil && !options.EveryReplica && !sharded, part: lifecycle.NewPart(),
		objects: c.objects.requests, cached: c.objects.have,
	}
	if m.setup.addController(c.runner) {
		m.transport.SetWorkers(m.setup.workers())
		c.runner.part.AfterStop(c.remove)
	}
	return c
}
