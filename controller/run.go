package controller

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/group"
	"github.com/lanyard-k8s/lanyard/controller/internal/tree"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// run is one call of Run: the tree of contexts and the goroutines on it. The groups have an order, but
// only for waiting (C8): they all end in the same instant (C3).
type run struct {
	manager *Manager
	end     context.CancelCauseFunc

	workers   group.Group // also the one that leads, which waits for the work of its term
	informers group.Group
	runnables group.Group
	unwatch   context.CancelCauseFunc // ends the watch of the lease; nil without an election

	mu       sync.Mutex
	failures []error
}

// Run starts everything that was added and works until ctx ends or a part of it fails. Then every
// context below ends in that instant (C3), except that items in flight may have time to finish (C6:
// Options.DrainTimeout), and Run returns when all that it started has returned (C7):
//   - nil, when ctx ended and everything stopped;
//   - the error of the part that failed;
//   - a [ShutdownError], when something has not returned after Options.ShutdownTimeout. Goroutines are
//     then left, so the process had better exit.
//
// All contexts that user code is handed have the values of ctx (C1). A manager runs once.
func (m *Manager) Run(ctx context.Context) error {
	if err := m.begin(); err != nil {
		return err
	}
	root, end, release := tree.New(withQuietEnds(ctx))
	defer release()
	r := &run{manager: m, end: end}
	unobserve, err := m.observe()
	if err != nil {
		return fmt.Errorf("have the metrics read: %w", err)
	}
	defer unobserve()
	if m.drains() {
		defer escalate(ctx, m.CancelDrain)()
	}
	if root.Err() == nil {
		r.start(root)
		<-root.Done()
	}
	return r.stop(root)
}

func (r *run) start(ctx context.Context) {
	m := r.manager
	for _, c := range m.controllers {
		if !c.leaderBound() {
			c.prepare()
		}
	}
	for _, runnable := range m.runnables {
		if !runnable.leaderBound {
			r.spawn(ctx, &r.runnables, &work.Unit{Kind: work.Runnable, Owner: runnable.name}, runnable.run)
		}
	}
	for _, inf := range m.informers.all() {
		r.spawn(ctx, &r.informers, &inf.unit, func(ctx context.Context) error {
			inf.RunWithContext(ctx)
			return nil
		})
	}
	for _, c := range m.controllers {
		if !c.leaderBound() {
			r.spawn(ctx, &r.workers, &work.Unit{Kind: work.Controller, Owner: c.name()}, func(ctx context.Context) error {
				return c.run(ctx, m.hurry, nil)
			})
		}
	}
	if m.candidate != nil {
		lease := m.election.lease().String()
		// The lease is watched for as long as anything may work that needs it, which at the end is longer
		// than ctx: a drain does not survive the loss of leadership.
		watching, unwatch := context.WithCancelCause(context.WithoutCancel(ctx))
		r.unwatch = unwatch
		r.spawn(watching, &r.informers, &work.Unit{Kind: work.Informer, Owner: "lease " + lease}, m.candidate.Watch)
		r.spawn(ctx, &r.workers, &work.Unit{Kind: work.Leadership, Owner: lease}, r.lead)
	}
}

// spawn runs f as a unit of work. When it fails before the end, everything ends.
func (r *run) spawn(ctx context.Context, g *group.Group, unit *work.Unit, f func(context.Context) error) {
	unit.Start = time.Now()
	r.manager.units.Add(unit)
	g.Go(func() {
		unit.SetGoroutine(work.GoroutineID())
		defer r.manager.units.Remove(unit)
		err := contain(work.NewContext(ctx, unit), f)
		if err == nil || ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return
		}
		if unit.Kind == work.Runnable {
			err = fmt.Errorf("runnable %q: %w", unit.Owner, err)
		}
		r.fail(err)
	})
}

// fail ends everything, because of err.
func (r *run) fail(err error) {
	r.mu.Lock()
	r.failures = append(r.failures, err)
	r.mu.Unlock()
	r.end(cause.Failed.With(err))
}

// contain makes a panic an error: one part's panic ends the manager in order, with everyone's clean-up.
func contain(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			panicked := &PanicError{Value: p, Stack: debug.Stack()}
			klog.FromContext(ctx).Error(panicked, "A part of the manager panicked", "stack", string(panicked.Stack))
			err = panicked
		}
	}()
	return f(ctx)
}

// stop waits for everything to return, in the order of C8, and makes the report.
func (r *run) stop(root context.Context) error {
	began := time.Now()
	limit := time.NewTimer(r.manager.options.ShutdownTimeout)
	defer limit.Stop()
	expired := false
	for _, step := range []struct {
		wait *group.Group
		then func()
	}{{&r.workers, func() { r.endWatch(root) }}, {&r.informers, func() {
		flushed := r.manager.flushAside(root)
		r.endLeadership(root)
		<-flushed
	}}, {wait: &r.runnables}} {
		select {
		case <-step.wait.Seal():
		case <-limit.C:
			expired = true
		}
		if expired {
			break
		}
		if step.then != nil {
			step.then()
		}
	}
	if expired {
		flushed := r.manager.flushAside(root)
		r.endWatch(root)
		r.keepLease()
		<-flushed
	}
	if expired {
		r.manager.transport.CloseIdle()
	} else {
		r.manager.transport.Close()
	}
	report := r.manager.finishReport(context.Cause(root), time.Since(began))
	r.mu.Lock()
	err := errors.Join(r.failures...)
	r.mu.Unlock()
	if len(report.Stragglers) > 0 {
		return errors.Join(&ShutdownError{Report: report}, err)
	}
	return err
}
