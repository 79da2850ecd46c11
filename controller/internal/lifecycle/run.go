// SPDX-License-Identifier: Apache-2.0

package lifecycle

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
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// Run is one run of a manager: its tree of contexts and the goroutines on it.
type Run struct {
	units  *work.Registry
	stacks bool // reports need the stacks of goroutines
	end    context.CancelCauseFunc

	mu       sync.Mutex
	failures []error
	late     []late
	added    chan struct{} // holds an element while there is something in late
}

// late is a runner that was added to a run that had begun.
type late struct {
	class  Class
	runner Runner
}

// NewRun makes a run. end ends its tree.
func NewRun(units *work.Registry, stacks bool, end context.CancelCauseFunc) *Run {
	return &Run{units: units, stacks: stacks, end: end, added: make(chan struct{}, 1)}
}

// Add starts a runner beside those of the plan. After the end of the run it does nothing.
func (r *Run) Add(class Class, runner Runner) {
	r.mu.Lock()
	r.late = append(r.late, late{class, runner})
	r.mu.Unlock()
	select {
	case r.added <- struct{}{}:
	default:
	}
}

// startLate starts what is added, until root ends.
func (r *Run) startLate(root context.Context, spawn func(context.Context, Class, Runner)) {
	for {
		select {
		case <-root.Done():
			return
		case <-r.added:
		}
		r.mu.Lock()
		added := r.late
		r.late = nil
		r.mu.Unlock()
		for _, l := range added {
			spawn(root, l.class, l.runner)
		}
	}
}

// Spawn runs a runner in a goroutine of a group. When it fails before the end, everything ends.
func (r *Run) Spawn(ctx context.Context, g *group.Group, runner Runner) {
	unit := runner.Unit()
	unit.Start = time.Now()
	r.units.Add(unit)
	g.Go(func() {
		defer r.units.Remove(unit)
		if r.stacks {
			unit.SetGoroutine(work.GoroutineID())
		}
		err := contain(work.NewContext(ctx, unit), runner.Run)
		if err == nil || ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return
		}
		if unit.Kind == report.Runnable {
			err = fmt.Errorf("runnable %q: %w", unit.Owner, err)
		}
		r.Fail(err)
	})
}

// Fail ends everything, because of err.
func (r *Run) Fail(err error) {
	r.mu.Lock()
	r.failures = append(r.failures, err)
	r.mu.Unlock()
	r.end(cause.ComponentFailed.With(err))
}

// Failures returns all errors for which the run ended, as one; nil if there were none.
func (r *Run) Failures() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.failures...)
}

// contain makes a panic an error, so that the panic of one part ends the manager in order.
func contain(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			panicked := &reconcile.PanicError{Value: p, Stack: debug.Stack()}
			klog.FromContext(ctx).Error(
				panicked, "A part of the manager panicked", "stack", string(panicked.Stack))
			err = panicked
		}
	}()
	return f(ctx)
}
