// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"fmt"
	"runtime/debug"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/queue"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// storage is what the items of a workqueue are kept in.
type storage interface {
	workqueue.Queue[reconcile.Request]
	// Prioritize lets an item come before all others when it is next added.
	Prioritize(item reconcile.Request)
}

// order is the order in which items come out of a queue.
type order struct {
	ranking
	logger  klog.Logger // for panics in the ranking
	storage storage
	simple  *queue.Order[reconcile.Request]  // the storage if items have no rank of their own
	ranked  *queue.Ranked[reconcile.Request] // the storage otherwise
}

// ranking is the user's functions that say which items come first. Each may be nil.
type ranking struct {
	fairBy   func(reconcile.Request) string
	priority func(reconcile.Request) int
}

func newOrder(by ranking, logger klog.Logger) *order {
	o := &order{ranking: by, logger: logger}
	if by.fairBy == nil && by.priority == nil {
		o.simple = &queue.Order[reconcile.Request]{}
		o.storage = o.simple
		return o
	}
	o.ranked = &queue.Ranked[reconcile.Request]{}
	o.storage = o.ranked
	return o
}

// add adds an item through the queue's function add.
func (o *order) add(add func(reconcile.Request), request reconcile.Request, lowPriority bool) {
	switch {
	case o.ranked != nil: // the rank is found before, because add holds the queue's lock
		o.ranked.Add(add, request, o.rankOf(request, lowPriority))
	case lowPriority:
		o.simple.AddLowPriority(add, request)
	default:
		add(request)
	}
}

// rankOf asks the user's functions. If one of them panics, the item has the rank of an item of which
// nothing is known.
func (o *order) rankOf(request reconcile.Request, lowPriority bool) (rank queue.Rank) {
	defer func() {
		if p := recover(); p != nil {
			rank = queue.Rank{LowPriority: lowPriority}
			o.logger.Error(fmt.Errorf("panic: %v", p),
				"FairBy or Priority panicked, the object has priority 0 and no tenant",
				"object", klog.KRef(request.Namespace, request.Name), "stack", string(debug.Stack()))
		}
	}()
	rank.LowPriority = lowPriority
	if o.fairBy != nil {
		rank.Tenant = o.fairBy(request)
	}
	if o.priority != nil {
		rank.Priority = o.priority(request)
	}
	return rank
}
