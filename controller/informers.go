// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/internal/kinds"
	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
	"github.com/lanyard-k8s/lanyard/controller/internal/pipeline"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// informers runs the informers of a manager, and starts its factories. It is safe for concurrent
// use.
type informers struct {
	set     caches.Set
	schemes func() kinds.Schemes
	unit    *work.Unit

	// starting is held while factories start what was asked of them, and while an informer is added: a
	// factory starts all its informers, also one that is being added at that moment.
	starting sync.Mutex

	mu        sync.Mutex
	runners   map[*caches.Cache]*informerRunner
	factories []*factory
	added     chan struct{} // holds an element while there may be something new to start
	known     chan struct{} // is closed when the factories have told what was asked of them

	sharing sync.Mutex
	shared  map[reflect.Type]any // see SharedFactory
}

func newInformers(schemes func() kinds.Schemes) *informers {
	return &informers{
		schemes: schemes, unit: &work.Unit{
			Kind: report.Informer, Owner: "informers of factories", Streams: &work.Streams{},
		},
		runners: map[*caches.Cache]*informerRunner{}, shared: map[reflect.Type]any{},
		added: make(chan struct{}, 1), known: make(chan struct{}),
	}
}

// informerRunner runs an informer.
type informerRunner struct {
	*caches.Cache
	part  *lifecycle.Part
	alone bool // it is of no factory
}

// Run runs the informer until ctx ends or its last user is gone.
func (r *informerRunner) Run(ctx context.Context) error { return r.part.Run(ctx, r.Cache.Run) }

// use adds a user of an informer, and the informer if it is new. run is nil before Run.
func (i *informers) use(
	informer cache.SharedIndexInformer, user caches.User, run *lifecycle.Run,
) (*caches.Cache, error) {
	user.Late = run != nil
	i.starting.Lock()
	defer i.starting.Unlock()
	c, added, err := i.set.Add(informer, user)
	if err != nil {
		return nil, err
	}
	if !added {
		return c, nil
	}
	runner := &informerRunner{Cache: c, part: lifecycle.NewPart(), alone: user.Alone}
	i.mu.Lock()
	i.runners[c] = runner
	i.mu.Unlock()
	if run != nil {
		run.Add(lifecycle.Informers, runner)
		i.more()
	}
	return c, nil
}

// release removes a user of a cache. The informer ends with its last user.
func (i *informers) release(c *caches.Cache) {
	if !i.set.Release(c) {
		return
	}
	i.mu.Lock()
	runner := i.runners[c]
	delete(i.runners, c)
	i.mu.Unlock()
	runner.part.Stop(cause.Stopped.With(fmt.Errorf("nothing uses %s any more", c.Name())))
}

// factory is a generated factory without its type.
type factory struct {
	of       any
	start    func(ctx context.Context) map[reflect.Type]cache.SharedIndexInformer // what it has started
	shutDown func()
}

// addFactory adds a factory, unless it is there already, and has it started if Run has begun.
func (i *informers) addFactory(f *factory) {
	i.mu.Lock()
	known := false
	for _, other := range i.factories {
		known = known || other.of == f.of
	}
	if !known {
		i.factories = append(i.factories, f)
	}
	i.mu.Unlock()
	i.more()
}

// more makes the starter look for what is new.
func (i *informers) more() {
	select {
	case i.added <- struct{}{}:
	default:
	}
}

func (i *informers) all() (runners []*informerRunner, factories []*factory) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, runner := range i.runners {
		runners = append(runners, runner)
	}
	return runners, slices.Clone(i.factories)
}

// caches returns the caches that the program itself reads, when the factories have told what was asked
// of them. A controller that starts must not find their listers empty.
func (i *informers) caches(ctx context.Context) (all []pipeline.Cache) {
	select {
	case <-i.known:
	case <-ctx.Done():
		return nil
	}
	for _, c := range i.set.OfProgram() {
		all = append(all, c)
	}
	return all
}

// Unit identifies what was asked of the factories but is used by nothing that the manager knows,
// such as an informer of which the program uses only the lister.
func (i *informers) Unit() *work.Unit { return i.unit }

// Run starts the factories, and what is asked of them later. The manager's own runners run the
// informers that it knows, each on a context of its own, so these must have been started first.
func (i *informers) Run(ctx context.Context) error {
	defer i.shutDown()
	for first := true; ; first = false {
		i.startFactories(ctx, !first)
		if err := strangers(i.set.Strangers()); err != nil && ctx.Err() == nil {
			return err
		}
		if first {
			close(i.known)
		}
		select {
		case <-i.added:
		case <-ctx.Done():
			return nil
		}
	}
}

// startFactories starts what was asked of the factories: late after the start of the manager.
func (i *informers) startFactories(ctx context.Context, late bool) {
	started := map[*informerRunner]bool{}
	for !i.tryStartFactories(ctx, late, started) {
		runners, _ := i.all()
		for _, runner := range runners {
			if !runner.alone {
				runner.AwaitStart(ctx, runner.part.Stopped())
			}
			started[runner] = true
		}
	}
}

// tryStartFactories starts what was asked of the factories if all informers that have runners are among those
// that have started.
func (i *informers) tryStartFactories(ctx context.Context, late bool, started map[*informerRunner]bool) bool {
	i.starting.Lock()
	defer i.starting.Unlock()
	runners, factories := i.all()
	if len(factories) > 0 && slices.ContainsFunc(runners, func(r *informerRunner) bool { return !started[r] }) {
		return false
	}
	for _, f := range factories {
		for typ, informer := range f.start(ctx) {
			kind, _ := i.schemes().Of(typ) // as long as only its lister is used, nothing needs the kind
			i.set.Adopt(informer, kind, typ, late)
		}
	}
	return true
}

// shutDown waits for the informers that factories run.
func (i *informers) shutDown() {
	_, factories := i.all()
	for _, f := range factories {
		f.shutDown()
	}
}

// strangers returns an error that names caches of unknown factories. Another informer may have been
// asked of such a factory, and nothing would run it.
func strangers(unknown []*caches.Cache) error {
	var errs []error
	for _, c := range unknown {
		errs = append(errs, fmt.Errorf("%s: pass its factory to controller.AddFactory, so that the manager runs all "+
			"that is asked of the factory; or, if it is of no factory, pass it through controller.Standalone",
			c.Name()))
	}
	return errors.Join(errs...)
}
