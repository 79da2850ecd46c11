// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/queue"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// worker reconciles one item after another.
type worker struct {
	config    *Config
	queue     *Queue
	scopes    *scopes
	goroutine uint64
}

// run reconciles items until ctx ends. The items run on contexts of their own, because they may be given
// time to finish after that.
func (w *worker) run(ctx context.Context) {
	if w.config.Stacks {
		w.goroutine = work.GoroutineID()
	}
	for w.next(ctx) {
	}
}

// next reconciles one item, and reports whether there may be another. client-go's queue hands out
// what it holds also after it was shut down; such items are not started.
func (w *worker) next(ctx context.Context) bool {
	request, shutdown := w.queue.items.Get()
	if shutdown {
		return false
	}
	defer w.queue.items.Done(request)
	if ctx.Err() != nil {
		w.queue.refused.Add(1)
		return false
	}
	if !w.queue.rounds.takes(request) {
		return true
	}
	in, leave, ok := w.scopes.enter(request)
	if !ok {
		w.queue.drop(request)
		return true
	}
	defer leave()
	item := &observe.Item{ObjectKind: w.config.Kind, Unit: work.Unit{
		Kind: report.Item, Owner: w.config.Name, MetricsName: w.config.MetricsName, Key: request,
		Start: time.Now(), Term: in.term,
	}}
	item.Detail = item
	item.SetLimits(&w.config.Limits)
	item.SetGoroutine(w.goroutine)
	if w.passes(ctx, in.items, item) {
		w.process(in.begin, in.items, item)
		w.queue.rounds.ended(request)
	}
	return true
}

// askAgain is after what time an item asks again whether its caches are filled, although nothing has told it.
const askAgain = time.Hour

// passes reports whether an item that a worker has taken can be reconciled now. If not, it comes back to the
// queue when the caches have caught up, or after the time that an item may take.
func (w *worker) passes(ctx, items context.Context, item *observe.Item) bool {
	gate := w.config.Gate
	if delay := gate.Delay(item.Key, item.Start); delay > 0 {
		w.queue.delays.Set(item.Key, delay)
		return false
	}
	if gate.Idle(item.Key) {
		w.queue.parked.end(item.Key)
		return true
	}
	park := &queue.Delay{}
	wake := func() { w.queue.delays.Hasten(item.Key, park) }
	if gate.Unsynced(item.Key, wake) {
		w.queue.delays.SetDelay(item.Key, park, askAgain)
		return false
	}
	return w.caughtUp(ctx, items, item, park, wake)
}

// caughtUp reports whether the caches show what earlier reconciles have written, or the item has waited for
// that for as long as it may. If not, the item comes back.
func (w *worker) caughtUp(ctx, items context.Context, item *observe.Item, park *queue.Delay, wake func()) bool {
	gate := w.config.Gate
	began := w.queue.parked.begin(item.Key, item.Start)
	until := began.Add(w.config.Limits.Item)
	var err error
	if gate.Doubts(item.Key) {
		err = w.settle(items, item, until)
	}
	if err == nil && !gate.Await(item.Key, wake) {
		w.queue.parked.end(item.Key)
		return true
	}
	now := time.Now()
	switch {
	case items.Err() != nil:
		return false
	case !now.Before(until):
		w.queue.parked.end(item.Key)
		klog.FromContext(ctx).Error(cause.ItemTimeout,
			"Caches have not shown what earlier reconciles have written, reconciling from what they have",
			"object", klog.KRef(item.Key.Namespace, item.Key.Name), "waited", now.Sub(began).Round(time.Millisecond).String(),
			"for", gate.GiveUp(item.Key))
		return true
	case err != nil:
		w.settleAgain(ctx, item, until.Sub(now), err)
	default:
		w.queue.delays.SetDelay(item.Key, park, until.Sub(now))
	}
	return false
}

// settle finds out what became of earlier writes of an item, in the time that it may wait.
func (w *worker) settle(items context.Context, item *observe.Item, until time.Time) error {
	ctx := work.NewContext(items, &item.Unit)
	ctx, cancel := context.WithDeadlineCause(ctx, until, cause.ItemTimeout)
	defer cancel()
	return w.config.Gate.Settle(ctx, item.Key)
}

// settleAgain lets an item be tried again after settle has failed, as after a failure of its own. It may wait
// for as long as is left.
func (w *worker) settleAgain(ctx context.Context, item *observe.Item, left time.Duration, err error) {
	klog.FromContext(ctx).Error(err, "An object is not reconciled yet, trying again",
		"object", klog.KRef(item.Key.Namespace, item.Key.Name))
	w.queue.addAfter(ctx, item, reconcile.Retry, min(left, w.queue.failures.hold(item.Key)))
}

// process reconciles an item, and settles it by its outcome.
func (w *worker) process(ctx, items context.Context, item *observe.Item) {
	itemCtx, end := w.queue.running.begin(items, item.Key)
	defer end()
	item.Object, item.Err = w.config.Read(item.Key)
	if item.Object != nil {
		item.UID = item.Object.GetUID()
		w.queue.running.read(item.Key, item.Object)
	}
	w.queue.take(item)
	itemCtx = w.config.Observers.ItemBegan(work.NewContext(itemCtx, &item.Unit), item)
	itemCtx = item.WithDeadline(itemCtx)
	defer item.Returned()

	if item.Err == nil {
		item.Result, item.Err = w.reconcile(itemCtx, item)
	}
	item.Took = time.Since(item.Start)
	item.AfterEnd = ctx.Err() != nil
	item.Outcome = outcomeOf(itemCtx, item.Result, item.Err)
	w.queue.settle(itemCtx, item)
	w.config.Observers.ItemEnded(itemCtx, item)
}

// reconcile calls user code. A panic in it is an error.
func (w *worker) reconcile(
	ctx context.Context,
	item *observe.Item,
) (result reconcile.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			result = reconcile.Result{}
			err = &reconcile.PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return w.config.Reconcile(ctx, item)
}

// outcomeOf returns how a reconcile on ctx ended. An error on a context that has ended is no
// failure, because the context's end is the reason for it. A panic is always a failure.
func outcomeOf(ctx context.Context, result reconcile.Result, err error) reconcile.Outcome {
	if err == nil {
		if result.RequeueAfter != 0 || !result.RequeueAt.IsZero() {
			return reconcile.Requeued
		}
		return reconcile.Done
	}
	var panicked *reconcile.PanicError
	switch {
	case errors.As(err, &panicked):
		return reconcile.Panicked
	case errors.Is(context.Cause(ctx), cause.ItemTimeout):
		return reconcile.TimedOut
	case ctx.Err() != nil:
		return reconcile.Cancelled
	case reconcile.IsTerminal(err):
		return reconcile.Terminal
	default:
		return reconcile.Retried
	}
}
