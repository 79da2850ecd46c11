// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"context"
	"fmt"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/group"
)

// Plan is what a run starts. More can be added while it runs: see [Run.Add].
type Plan struct {
	Runners [classes][]Runner
	Leases  []Lease
	// Worked is called when all workers have returned. Nil: nothing is called.
	Worked func()
	// Flush sends telemetry, while leases are released. ctx has ended. The channel is closed when
	// it is done.
	Flush func(ctx context.Context) <-chan struct{}
	// ShutdownTimeout bounds the wait for everything.
	ShutdownTimeout time.Duration
}

// Add adds a runner to the plan.
func (p *Plan) Add(class Class, runner Runner) {
	p.Runners[class] = append(p.Runners[class], runner)
}

// Execute starts the plan on root and waits for the end of root; then it waits until all has
// returned. The error says that something had not when the shutdown timeout was over. An ended root
// starts nothing.
func (r *Run) Execute(root context.Context, plan *Plan) (took time.Duration, err error) {
	e := &execution{plan: plan, run: r}
	e.servers, e.endServers = untilTold(root)
	if root.Err() == nil {
		e.start(root)
		r.startLate(root, e.spawn)
	}
	began := time.Now()
	err = e.stop(root)
	return time.Since(began), err
}

// untilTold returns a context with the values of root that ends when end is called.
func untilTold(root context.Context) (ctx context.Context, end func(error)) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(root))
	return ctx, cancel
}

// execution is the goroutines of a plan. All its contexts end in the same instant, but for the
// watches of the leases and the servers; the groups are for waiting.
type execution struct {
	plan       *Plan
	run        *Run
	groups     [classes]group.Group
	watches    group.Group
	unwatch    []func(error)   // end the watches of the leases
	servers    context.Context //ctxvet:ok ctxfield: it is made and used by Execute alone
	endServers func(error)
}

// spawn starts a runner.
func (e *execution) spawn(root context.Context, class Class, runner Runner) {
	ctx := root
	if class == Servers {
		ctx = e.servers
	}
	e.run.Spawn(ctx, &e.groups[class], runner)
}

func (e *execution) start(root context.Context) {
	for _, class := range []Class{Servers, Runnables, Informers, Workers} {
		for _, runner := range e.plan.Runners[class] {
			e.spawn(root, class, runner)
		}
	}
	for _, lease := range e.plan.Leases {
		// A lease is watched for as long as anything may work that needs it. That is longer than
		// root, because a drain does not survive the loss of leadership.
		watching, unwatch := untilTold(root)
		e.unwatch = append(e.unwatch, unwatch)
		e.run.Spawn(watching, &e.watches, lease.Watcher())
		e.spawn(root, Workers, lease)
	}
}

// stop waits for everything to return. Leases are given back only if everything that may need them
// has.
func (e *execution) stop(root context.Context) error {
	limit := e.plan.ShutdownTimeout
	limited, cancel := context.WithTimeoutCause(context.WithoutCancel(root), limit,
		fmt.Errorf("not everything has returned within %v", limit))
	defer cancel()
	err := e.stopInOrder(root, limited)
	if err == nil {
		return nil
	}
	flushed := e.plan.Flush(root)
	e.endWatches(root)
	e.endServers(context.Cause(root))
	for _, lease := range e.plan.Leases {
		lease.Abandon()
	}
	<-flushed
	return err
}

func (e *execution) stopInOrder(root, limited context.Context) error {
	if err := e.groups[Workers].Wait(limited); err != nil {
		return err
	}
	if e.plan.Worked != nil {
		e.plan.Worked()
	}
	e.endWatches(root)
	if err := e.watches.Wait(limited); err != nil {
		return err
	}
	if err := e.groups[Informers].Wait(limited); err != nil {
		return err
	}
	flushed := e.plan.Flush(root)
	for _, lease := range e.plan.Leases {
		lease.Release(root)
	}
	<-flushed
	if err := e.groups[Runnables].Wait(limited); err != nil {
		return err
	}
	e.endServers(context.Cause(root))
	return e.groups[Servers].Wait(limited)
}

func (e *execution) endWatches(root context.Context) {
	for _, unwatch := range e.unwatch {
		unwatch(context.Cause(root))
	}
}
