// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller/internal/group"
	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/pipeline"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// EnqueueFunc makes a controller reconcile objects. If ctx carries a span, the spans of these
// reconciles are linked to it. It is safe for concurrent use and does not block.
type EnqueueFunc func(ctx context.Context, requests ...Request)

// SourceFunc feeds a controller from something else than an informer: a poller of an external
// system, a message queue, a timer. It runs until ctx ends, and calls enqueue with what is to be
// reconciled. See [Controller.AddSource].
type SourceFunc func(ctx context.Context, enqueue EnqueueFunc) error

// Enqueue makes c reconcile objects, for a reason: one of package reconcile, or the program's own.
// Reasons are values of metrics and spans, so a program should have only a few. If ctx carries a
// span, the spans of the reconciles are linked to it. The end of ctx has no effect.
//
// Enqueue may be called from everywhere, and does not block. While the controller does not run it
// does nothing: a controller reconciles all objects when it starts.
func (c *Controller[T]) Enqueue(ctx context.Context, reason Reason, requests ...Request) {
	if c.pipeline != nil {
		c.pipeline.Enqueue(ctx, &observe.Enqueue{Reason: reason, Requests: requests, Link: true}, false)
	}
}

// Reason is why an object is reconciled.
type Reason = reconcile.Reason

// AddSource makes c reconcile what run enqueues. name identifies the source in errors and reports.
//
// run is called when the controller starts, in each term of leadership if the controller needs one;
// or at once, if the controller runs already. ctx ends with the controller, and when the source is
// stopped. run may return nil early. If run returns an error before ctx has ended, the manager shuts
// down and [Manager.Run] returns that error: handle what may pass inside run. A panic does the same.
func (c *Controller[T]) AddSource(name string, run SourceFunc) *Source {
	m := c.manager
	if name == "" || run == nil {
		m.setup.mistake(fmt.Errorf("controller %q: a source needs a name and a function (name %q)", c.name, name))
		return &Source{}
	}
	if c.pipeline == nil {
		return &Source{} // New has told of a mistake
	}
	source := &Source{}
	feeding := &funcSource{name: name, controller: c.name, run: run, spawn: m.setup.spawn}
	if m.planning.skips(fmt.Sprintf("the source %s of the controller %s", name, c.name)) {
		feeding.spawn = func(context.Context, *group.Group, lifecycle.Runner) {}
	}
	m.setup.add(func(*lifecycle.Run) error {
		source.stop = func() { c.pipeline.RemoveSource(feeding) }
		return c.pipeline.AddSource(feeding)
	})
	c.keep(source, nil)
	return source
}

// funcSource is a source that is a function.
type funcSource struct {
	name, controller string
	run              SourceFunc
	spawn            func(context.Context, *group.Group, lifecycle.Runner)
}

// Name returns the name of the source.
func (s *funcSource) Name() string { return s.name }

// Cache returns nil: there is none.
func (s *funcSource) Cache() pipeline.Cache { return nil }

// Start runs the function on a goroutine.
func (s *funcSource) Start(ctx context.Context, queue *pipeline.Queue) (pipeline.Feed, error) {
	feed := &funcFeed{source: s, queue: queue, part: lifecycle.NewPart()}
	if unit := work.From(ctx); unit != nil {
		feed.unit.Term = unit.Term
	}
	feed.wait = func() { _ = feed.running.Wait(context.WithoutCancel(ctx)) } // it cannot fail
	s.spawn(ctx, &feed.running, feed)
	return feed, nil
}

// funcFeed is a function that runs.
type funcFeed struct {
	source  *funcSource
	queue   *pipeline.Queue
	part    *lifecycle.Part
	unit    work.Unit
	running group.Group
	wait    func()
}

// Unit identifies the function in reports.
func (f *funcFeed) Unit() *work.Unit {
	f.unit.Kind = report.Runnable
	f.unit.Owner = fmt.Sprintf("source %s of controller %s", f.source.name, f.source.controller)
	return &f.unit
}

// Run calls the function.
func (f *funcFeed) Run(ctx context.Context) error {
	return f.part.Run(ctx, func(ctx context.Context) error {
		return f.source.run(ctx, func(from context.Context, requests ...Request) {
			f.queue.Add(from, &observe.Enqueue{
				Reason: reconcile.External, Requests: requests, Link: true,
			}, false)
		})
	})
}

// HasSyncedChecker is done: a function has nothing to tell at the start.
func (f *funcFeed) HasSyncedChecker() cache.DoneChecker { return done(f.source.name) }

// Stop ends the function's context and waits for its return.
func (f *funcFeed) Stop() {
	f.part.Stop(causeOfStop("source %q of controller %q", f.source.name, f.source.controller))
	f.wait()
}

// done is a checker that is done.
type done string

func (d done) Name() string          { return string(d) }
func (d done) Done() <-chan struct{} { return alreadyClosed() }

// FromChannel is a source that receives from a channel until it is closed. mapping returns what is to
// be reconciled because of an element.
func FromChannel[E any](channel <-chan E, mapping func(ctx context.Context, element E) []Request) SourceFunc {
	return func(ctx context.Context, enqueue EnqueueFunc) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case element, ok := <-channel:
				if !ok {
					return nil
				}
				enqueue(ctx, mapping(ctx, element)...)
			}
		}
	}
}

// Every is a source that calls requests after each interval, and enqueues what it returns. Calls do
// not overlap: a call that takes longer than the interval is followed by the next at once.
func Every(interval time.Duration, requests func(ctx context.Context) []Request) SourceFunc {
	return func(ctx context.Context, enqueue EnqueueFunc) error {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
				enqueue(ctx, requests(ctx)...)
			}
		}
	}
}
