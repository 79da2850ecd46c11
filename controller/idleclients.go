// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// idleAfter is how many new objects are reconciled without any call before that is told. An
// object that was there at the start is often as it should be, and needs no call; a new one seldom is.
const idleAfter = 16

// idleClients is an observer that finds a manager whose informers make calls through its clients, and
// whose reconciles do not: their clients may be of another configuration. That is certain if a
// reconcile fails with a refusal by the API server. It is likely, and no more, if many objects were
// created meanwhile and no reconcile of any of them has made a call. It is told once.
//
// Objects from fakes, and those that programs make, have no time of creation with a UID.
type idleClients struct {
	observe.Nop
	caches    *caches.Set
	factories *work.Unit // of the informers that are in factories

	over  atomic.Bool               // a reconcile has made a call, or it was told
	began atomic.Pointer[time.Time] // when the first item was reconciled
	idle  atomic.Int64              // new objects that were reconciled without a call
}

// CallBegan ends the search if a reconcile has made a call. So does a call with a context from outside:
// it may be a reconcile's.
func (c *idleClients) CallBegan(_ context.Context, call *observe.Call) {
	if call.Unit == nil || call.Unit.Kind == report.Item {
		c.end()
	}
}

// CallOrphaned ends the search as well: the call was made through a client of the manager, although it
// may not have come so far.
func (c *idleClients) CallOrphaned(context.Context, *report.Orphan, bool) { c.end() }

func (c *idleClients) end() (now bool) {
	return !c.over.Load() && c.over.CompareAndSwap(false, true)
}

// ItemEnded looks at what a reconcile without a call tells of the manager's clients.
func (c *idleClients) ItemEnded(ctx context.Context, item *observe.Item) {
	if c.over.Load() {
		return
	}
	if c.began.Load() == nil {
		start := item.Start // only now, so that no item but the first allocates it
		c.began.CompareAndSwap(nil, &start)
	}
	refused := item.Err != nil && isRefusal(item.Err)
	if !refused && (!c.isNew(item.Object) || c.idle.Add(1) < idleAfter) || !c.cached() || !c.end() {
		return
	}
	logger := klog.FromContext(ctx)
	if refused {
		logger = logger.WithValues("err", item.Err)
	}
	logger.Info("Reconciles make no calls through the manager's clients, although informers do: if they make "+
		"any, their clients are of another configuration, and the calls are not accounted for, not fenced, and end "+
		"without a cause; make all clients from Manager.Config()", "controller", item.Owner)
}

// isNew reports whether an object was created since the first item was reconciled.
func (c *idleClients) isNew(object metav1.Object) bool {
	return object != nil && isOfServer(object) && object.GetCreationTimestamp().After(*c.began.Load())
}

// cached reports whether an informer has made a call.
func (c *idleClients) cached() bool {
	for _, cached := range c.caches.All() {
		if cached.Unit().Cost().Calls > 0 {
			return true
		}
	}
	return c.factories.Cost().Calls > 0
}

// isRefusal reports whether an error is an answer of the API server that no lister gives.
func isRefusal(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	switch status.Status().Reason {
	case metav1.StatusReasonConflict, metav1.StatusReasonAlreadyExists, metav1.StatusReasonForbidden,
		metav1.StatusReasonUnauthorized, metav1.StatusReasonInvalid, metav1.StatusReasonTooManyRequests:
		return true
	}
	return false
}
