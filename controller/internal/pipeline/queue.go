// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/queue"
	"github.com/lanyard-k8s/lanyard/controller/internal/reasons"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Queue is the queue of one session of a pipeline. Each session has its own: an item that one left
// behind is not handed out in the next, whose sources tell of every object again.
type Queue struct {
	config   *Config
	items    workqueue.TypedInterface[reconcile.Request]
	order    *order
	delays   *queue.Delays[reconcile.Request]
	failures *failures
	reasons  reasons.Memory
	running  *running
	parked   parked
	rounds   *rounds      // nil unless Config.Rounds
	refused  atomic.Int64 // the number of items that came out of the queue after the end
}

// newQueue makes a queue. It has goroutines, which end when it is closed. logger is for panics of
// the functions in config that rank items.
func newQueue(config *Config, logger klog.Logger) *Queue {
	q := &Queue{
		config:   config,
		order:    newOrder(ranking{config.FairBy, config.Priority}, logger),
		failures: newFailures(config.Backoff),
		running:  newRunning(config.SupersedeLimit, config.Cancellable),
		rounds:   newRounds(config),
	}
	q.items = workqueue.NewTypedWithConfig(
		workqueue.TypedQueueConfig[reconcile.Request]{Queue: q.order.storage},
	)
	q.delays = queue.NewDelays(q.add)
	return q
}

// close ends the queue: nothing is added to it any more.
func (q *Queue) close() {
	q.items.ShutDown()
	q.delays.Stop()
	q.failures.forgetAll()
}

// Add adds the items of an event. lowPriority lets items that have changed come first. It is safe
// for concurrent use; e and its Requests are the caller's again when it returns.
func (q *Queue) Add(ctx context.Context, e *observe.Enqueue, lowPriority bool) {
	e.Controller = q.config.Name
	if q.config.Shards != nil {
		if e.Requests = owned(q.config.Shards, e.Requests); len(e.Requests) == 0 {
			return
		}
	}
	q.rounds.added(e.Requests)
	trigger := e.Trigger()
	for _, request := range e.Requests {
		q.reasons.Add(request, e.Reason, trigger, 0)
	}
	q.config.Observers.Enqueued(ctx, e)
	for _, request := range e.Requests {
		q.order.add(q.items.Add, request, lowPriority)
	}
}

// drop forgets an item that is another process's now.
func (q *Queue) drop(request reconcile.Request) {
	q.delays.Cancel(request)
	q.failures.forget(request)
	q.reasons.Take(request, time.Now(), false)
	q.parked.end(request)
}

func (q *Queue) add(request reconcile.Request) { q.order.add(q.items.Add, request, false) }

// Supersede cancels the reconcile of an item, if one runs and works on an outdated state. The event
// must have been added before, so that the item is taken again.
func (q *Queue) Supersede(request reconcile.Request, why *cause.Cause, outdated func(State) bool) {
	q.running.supersede(request, why, outdated)
}

// Len returns the number of items that wait, including those that wait for caches, and those that came out
// after the end.
func (q *Queue) Len() int { return q.items.Len() + int(q.refused.Load()) + q.parked.len() }

// take fills in what the queue knows of an item that a worker has taken, and whose object it has
// read. A delay that an earlier reconcile of the item asked for is void: this one decides anew.
func (q *Queue) take(item *observe.Item) {
	q.delays.Cancel(item.Key)
	item.Attempt = q.failures.attempt(item)
	entry := q.reasons.Take(item.Key, item.Start, item.Attempt > 1)
	item.Reason = entry.Reason
	item.Ready = entry.Ready
	item.Delay = entry.Delay
	item.Triggers = entry.Count
	item.Trigger = entry.Trigger
}

// settle says when an item is taken again, by its outcome.
func (q *Queue) settle(ctx context.Context, item *observe.Item) {
	superseded := item.Outcome == reconcile.Cancelled && wasSuperseded(ctx)
	after, asked := delayOf(item.Result)
	switch {
	case superseded:
		q.order.storage.Prioritize(item.Key) // the event has added it to the queue already
		q.reasons.Replace(item.Key, reconcile.Superseded)
		return
	case q.rounds != nil: // its result has no effect
		if q.rounds.count(item.Key) {
			q.add(item.Key)
		}
	case item.Outcome.WillRetry():
		backoff := q.failures.add(item)
		if !asked {
			after = backoff
		}
		q.addAfter(ctx, item, reconcile.Retry, after)
	default:
		q.failures.forget(item.Key)
		if asked && item.Outcome != reconcile.Cancelled {
			q.addAfter(ctx, item, reconcile.RequeueAfter, after)
		}
	}
	q.running.finished(item.Key)
}

func (q *Queue) addAfter(
	ctx context.Context,
	item *observe.Item,
	reason reconcile.Reason,
	delay time.Duration,
) {
	item.Again = true
	item.AgainAfter = delay
	q.reasons.Add(item.Key, reason, reasons.Trigger{}, delay)
	if len(q.config.Observers) > 0 {
		q.config.Observers.Enqueued(ctx, &observe.Enqueue{
			Controller: q.config.Name, Reason: reason, Requests: []reconcile.Request{item.Key}, Delay: delay,
		})
	}
	if delay > 0 {
		q.delays.Set(item.Key, delay)
	} else {
		q.add(item.Key)
	}
}

// delayOf returns after which time a result asks for another reconcile, and whether it does. A time
// that has passed is now.
func delayOf(result reconcile.Result) (after time.Duration, asked bool) {
	if result.RequeueAfter != 0 {
		after = max(0, result.RequeueAfter)
		asked = true
	}
	if !result.RequeueAt.IsZero() {
		at := max(0, time.Until(result.RequeueAt))
		if !asked || at < after {
			after = at
		}
		asked = true
	}
	return after, asked
}

// wasSuperseded reports whether ctx ended because the object changed or was deleted.
func wasSuperseded(ctx context.Context) bool {
	why := context.Cause(ctx)
	return errors.Is(why, cause.Superseded) || errors.Is(why, cause.ObjectDeleted)
}
