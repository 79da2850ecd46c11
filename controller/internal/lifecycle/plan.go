// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"context"
	"fmt"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/group"
)

// Plan is what a run starts, in the order in which the end waits for it.
type Plan struct {
	Workers   []Runner // controllers
	Leases    []Lease
	Informers []Runner
	Runnables []Runner // servers and the like
	// Worked is called when all workers have returned. Nil: nothing is called.
	Worked func()
	// Flush sends telemetry, while leases are released. ctx has ended. The channel is closed when
	// it is done.
	Flush func(ctx context.Context) <-chan struct{}
	// ShutdownTimeout bounds the wait for everything.
	ShutdownTimeout time.Duration
}

// Execute starts the plan on root and waits for the end of root; then it waits until all has
// returned. The error says that something had not when the shutdown timeout was over. An ended root
// starts nothing.
func (r *Run) Execute(root context.Context, plan *Plan) (took time.Duration, err error) {
	e := &execution{plan: plan, run: r}
	if root.Err() == nil {
		e.start(root)
		<-root.Done()
	}
	began := time.Now()
	err = e.stop(root)
	return time.Since(began), err
}

// execution is the goroutines of a plan. All its contexts end in the same instant, but for the
// watches of the leases; the groups are for waiting.
type execution struct {
	plan      *Plan
	run       *Run
	workers   group.Group
	watches   group.Group
	informers group.Group
	runnables group.Group
	unwatch   []context.CancelCauseFunc // end the watches of the leases
}

func (e *execution) start(root context.Context) {
	for _, runner := range e.plan.Runnables {
		e.run.Spawn(root, &e.runnables, runner)
	}
	for _, runner := range e.plan.Informers {
		e.run.Spawn(root, &e.informers, runner)
	}
	for _, runner := range e.plan.Workers {
		e.run.Spawn(root, &e.workers, runner)
	}
	for _, lease := range e.plan.Leases {
		// A lease is watched for as long as anything may work that needs it. That is longer than
		// root, because a drain does not survive the loss of leadership.
		watching, unwatch := context.WithCancelCause(context.WithoutCancel(root))
		e.unwatch = append(e.unwatch, unwatch)
		e.run.Spawn(watching, &e.watches, lease.Watcher())
		e.run.Spawn(root, &e.workers, lease)
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
	for _, lease := range e.plan.Leases {
		lease.Abandon()
	}
	<-flushed
	return err
}

func (e *execution) stopInOrder(root, limited context.Context) error {
	if err := e.workers.Wait(limited); err != nil {
		return err
	}
	if e.plan.Worked != nil {
		e.plan.Worked()
	}
	e.endWatches(root)
	if err := e.watches.Wait(limited); err != nil {
		return err
	}
	if err := e.informers.Wait(limited); err != nil {
		return err
	}
	flushed := e.plan.Flush(root)
	for _, lease := range e.plan.Leases {
		lease.Release(root)
	}
	<-flushed
	return e.runnables.Wait(limited)
}

func (e *execution) endWatches(root context.Context) {
	for _, unwatch := range e.unwatch {
		unwatch(context.Cause(root))
	}
}
