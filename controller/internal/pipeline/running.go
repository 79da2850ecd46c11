// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// State is the state of an object that a reconcile works on.
type State struct {
	UID        types.UID
	Generation int64
}

// running knows which items are being reconciled, so that a change of an object can supersede its
// reconcile. It is safe for concurrent use.
type running struct {
	limit int  // see Config.SupersedeLimit
	known bool // the items that run need to be known

	mu    sync.Mutex
	items map[reconcile.Request]*runningItem
	row   map[reconcile.Request]int // how often the item was superseded since it last finished
}

type runningItem struct {
	cancel context.CancelCauseFunc
	read   bool // whether state is set: a change before that is seen by the read
	state  State
}

func newRunning(limit int, cancellable bool) *running {
	return &running{
		limit: limit,
		known: limit > 0 || cancellable,
		items: map[reconcile.Request]*runningItem{},
		row:   map[reconcile.Request]int{},
	}
}

// begin returns a context for the reconcile of an item. end must be called when it has returned.
func (r *running) begin(
	ctx context.Context,
	request reconcile.Request,
) (itemCtx context.Context, end func()) {
	if !r.known {
		return ctx, func() {}
	}
	itemCtx, cancel := context.WithCancelCause(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items[request] = &runningItem{cancel: cancel}
	return itemCtx, func() {
		r.mu.Lock()
		delete(r.items, request)
		r.mu.Unlock()
		cancel(cause.Returned)
	}
}

// read notes which state of its object a reconcile works on.
func (r *running) read(request reconcile.Request, object metav1.Object) {
	if r.limit <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if item := r.items[request]; item != nil {
		item.read = true
		item.state = State{UID: object.GetUID(), Generation: object.GetGeneration()}
	}
}

// supersede cancels the reconcile of an item, if one runs and works on an outdated state. An item
// that was superseded as often as the limit allows is left to finish, so that an object that
// changes faster than it can be reconciled makes progress.
func (r *running) supersede(
	request reconcile.Request,
	why *cause.Cause,
	outdated func(State) bool,
) {
	if r.limit <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	item := r.items[request]
	if item == nil || !item.read || !outdated(item.state) || r.row[request] >= r.limit {
		return
	}
	item.read = false // cancel it only once
	r.row[request]++
	item.cancel(why)
}

// cancel cancels the items that match.
func (r *running) cancel(match func(reconcile.Request) bool, why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for request, item := range r.items {
		if match(request) {
			item.cancel(why)
		}
	}
}

// finished notes that an item was not superseded.
func (r *running) finished(request reconcile.Request) {
	if r.limit <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.row, request)
}
