package controller

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/trigger"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// work runs the workers until ctx ends and they have returned. Items run on a context of their own, which
// in the drain mode lasts longer (C6).
func (c *Controller[T]) work(ctx, items context.Context) {
	stop := context.AfterFunc(ctx, c.queue.ShutDown) // wakes workers that wait for an item
	defer stop()
	var workers sync.WaitGroup
	for range c.options.Workers {
		workers.Go(func() {
			w := worker{goroutine: work.GoroutineID(), spans: c.newSpanStart()}
			for c.next(ctx, items, &w) {
			}
		})
	}
	workers.Wait()
}

// worker is what one worker keeps from item to item.
type worker struct {
	goroutine uint64
	spans     *spanStart // nil: there are none
}

// next takes one item. After the end it takes none, although client-go's queue goes on handing out
// what it holds after ShutDown (C4).
func (c *Controller[T]) next(ctx, items context.Context, w *worker) bool {
	request, shutdown := c.queue.Get()
	if shutdown {
		return false
	}
	defer c.queue.Done(request)
	if ctx.Err() != nil {
		c.refused.Add(1)
		return false
	}
	now := time.Now()
	unit := &work.Unit{Kind: work.Item, Owner: c.title, Key: request, Start: now, Due: now.Add(c.limits.Item), Term: c.term,
		Attempt: c.queue.NumRequeues(request) + 1}
	unit.SetGoroutine(w.goroutine)
	var why trigger.Triggers
	if c.triggers != nil {
		why = c.triggers.Take(request)
		c.manager.metrics.Waited(items, c.title, why.Wait(now))
	}
	how, err := c.process(items, unit, why, w.spans)
	if ctx.Err() != nil {
		c.manager.noteEnd(unit, how, err)
	}
	return true
}

// process reconciles one item from start to settlement.
func (c *Controller[T]) process(ctx context.Context, unit *work.Unit, why trigger.Triggers, spans *spanStart) (outcome, error) {
	c.manager.units.Add(unit)
	defer c.manager.units.Remove(unit)
	ctx, over := c.supersede.begin(ctx, unit.Key)
	defer over()
	object, err := c.read(unit.Key)
	ctx, span := c.begin(ctx, unit, why, spans, object)
	ctx = unit.SetDeadline(ctx, &c.limits)
	defer unit.EndContext()
	var result Result
	if err == nil {
		result, err = c.guarded(ctx, unit.Key, object)
	}
	how := c.settle(ctx, unit, result, err)
	logOutcome(ctx, how, unit, err)
	c.finish(ctx, span, unit, how, err)
	return how, err
}

// read is what the cache has for an item, nil if it is gone. A change from here on may supersede the reconcile.
func (c *Controller[T]) read(request Request) (*T, error) {
	cached, exists, err := c.indexer.GetByKey(storeKey(request))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s %s from the cache: %w", c.kind, request, err)
	case !exists:
		return nil, nil
	}
	object, ok := cached.(T)
	if !ok {
		return nil, Terminal(fmt.Errorf("the cache holds a %T for %s, not a %s", cached, request, c.kind))
	}
	c.supersede.reading(object)
	return &object, nil
}

// guarded calls user code and makes a panic in it an error (C11).
func (c *Controller[T]) guarded(ctx context.Context, request Request, object *T) (result Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			result, err = Result{}, &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	switch {
	case object != nil:
		return c.reconcileObject(ctx, *object)
	case c.options.OnDeleted != nil:
		return Result{}, c.options.OnDeleted(ctx, request)
	default:
		return Result{}, nil
	}
}

// reconcileObject hands a copy to user code, or the cached object itself where that was asked for (C24).
func (c *Controller[T]) reconcileObject(ctx context.Context, cached T) (Result, error) {
	if !c.options.SharedObjects {
		return c.reconcile(ctx, cached.DeepCopyObject().(T))
	}
	if !c.detectMutations {
		return c.reconcile(ctx, cached)
	}
	before := cached.DeepCopyObject()
	result, err := c.reconcile(ctx, cached)
	if !equality.Semantic.DeepEqual(before, cached) {
		err = Terminal(fmt.Errorf("the reconcile of %s %s changed the cached object, which is shared: change a copy, or do not set SharedObjects",
			c.kind, klog.KObj(cached)))
	}
	return result, err
}
