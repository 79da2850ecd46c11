// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"k8s.io/client-go/util/workqueue"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/queue"
	"github.com/lanyard-k8s/lanyard/controller/internal/reasons"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Queue is the queue of one session of a pipeline. Each session has its own: an item that one left
// behind is not handed out in the next, whose sources tell of every object again.
type Queue struct {
	config  *Config
	order   *queue.Order[reconcile.Request]
	items   workqueue.TypedRateLimitingInterface[reconcile.Request]
	reasons *reasons.Memory // nil unless Config.Reasons
	running *running
	refused atomic.Int64 // the number of items that came out of the queue after the end
}

// newQueue makes a queue. It has goroutines, which end when it is shut down.
func newQueue(config *Config) *Queue {
	q := &Queue{
		config:  config,
		order:   &queue.Order[reconcile.Request]{},
		running: newRunning(config.SupersedeLimit, config.Cancellable),
	}
	if config.Reasons {
		q.reasons = &reasons.Memory{}
	}
	type request = reconcile.Request
	storage := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[request]{Queue: q.order})
	delaying := workqueue.NewTypedDelayingQueueWithConfig(
		workqueue.TypedDelayingQueueConfig[request]{Queue: storage},
	)
	q.items = workqueue.NewTypedRateLimitingQueueWithConfig(config.Backoff,
		workqueue.TypedRateLimitingQueueConfig[request]{DelayingQueue: delaying})
	return q
}

// Add adds the items of an event. lowPriority lets items that have changed come first. It is safe
// for concurrent use; e and its Requests are the caller's again when it returns.
func (q *Queue) Add(ctx context.Context, e *observe.Enqueue, lowPriority bool) {
	e.Controller = q.config.Name
	for _, request := range e.Requests {
		q.reasons.Add(request, e.Reason, 0)
	}
	q.config.Observers.Enqueued(ctx, e)
	for _, request := range e.Requests {
		if lowPriority {
			q.order.AddLowPriority(q.items.Add, request)
		} else {
			q.items.Add(request)
		}
	}
}

// Supersede cancels the reconcile of an item, if one runs and works on an outdated state. The event
// must have been added before, so that the item is taken again.
func (q *Queue) Supersede(request reconcile.Request, why *cause.Cause, outdated func(State) bool) {
	q.running.supersede(request, why, outdated)
}

// Len returns the number of items that wait, including those that came out after the end.
func (q *Queue) Len() int { return q.items.Len() + int(q.refused.Load()) }

// take fills in what the queue knows of an item that a worker has taken.
func (q *Queue) take(item *observe.Item) {
	item.Attempt = q.items.NumRequeues(item.Key) + 1
	entry := q.reasons.Take(item.Key, item.Start, item.Attempt > 1)
	item.Reason = entry.Reason
	item.Ready = entry.Ready
	item.Delay = entry.Delay
	item.Triggers = entry.Count
}

// settle says when an item is taken again, by its outcome.
func (q *Queue) settle(ctx context.Context, item *observe.Item) {
	switch {
	case item.Outcome.WillRetry():
		q.addAfter(ctx, item, reconcile.Retry, q.config.Backoff.When(item.Key))
	case item.Outcome == reconcile.Requeued:
		q.items.Forget(item.Key)
		q.addAfter(ctx, item, reconcile.RequeueAfter, item.Result.RequeueAfter)
	case item.Outcome == reconcile.Cancelled:
		if wasSuperseded(ctx) {
			q.order.Prioritize(item.Key) // the event has added it to the queue already
			q.reasons.Replace(item.Key, reconcile.Superseded)
		}
		return
	default:
		q.items.Forget(item.Key)
	}
	q.running.finished(item.Key)
}

func (q *Queue) addAfter(
	ctx context.Context,
	item *observe.Item,
	reason reconcile.Reason,
	delay time.Duration,
) {
	q.reasons.Add(item.Key, reason, delay)
	if len(q.config.Observers) > 0 {
		q.config.Observers.Enqueued(ctx, &observe.Enqueue{
			Controller: q.config.Name, Reason: reason, Requests: []reconcile.Request{item.Key}, Delay: delay,
		})
	}
	q.items.AddAfter(item.Key, delay)
}

// wasSuperseded reports whether ctx ended because the object changed or was deleted.
func wasSuperseded(ctx context.Context) bool {
	why := context.Cause(ctx)
	return errors.Is(why, cause.Superseded) || errors.Is(why, cause.ObjectDeleted)
}
