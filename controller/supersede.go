package controller

import (
	"context"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// supersedes knows what is being reconciled, and ends a reconcile whose object has changed since (C10).
// The zero value is ready for use.
type supersedes struct {
	limit int // in a row; zero: never supersede

	mu      sync.Mutex
	running map[Request]*runningItem
	inARow  map[Request]int
}

// runningItem is one reconcile on its way.
type runningItem struct {
	cancel     context.CancelCauseFunc
	read       bool // whether the object has been read: before that, a change is seen by the read
	uid        types.UID
	generation int64
}

// begin returns a context for the reconcile of an item, which a change of its object may end.
func (s *supersedes) begin(ctx context.Context, request Request) (context.Context, func()) {
	if s.limit <= 0 {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	item := &runningItem{cancel: cancel}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		s.running, s.inARow = map[Request]*runningItem{}, map[Request]int{}
	}
	s.running[request] = item
	return ctx, func() {
		s.mu.Lock()
		delete(s.running, request)
		s.mu.Unlock()
		cancel(context.Canceled)
	}
}

// reading notes which state of the object the reconcile works on.
func (s *supersedes) reading(object metav1.Object) {
	if s.limit <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if item := s.running[nameOf(object)]; item != nil {
		item.read, item.uid, item.generation = true, object.GetUID(), object.GetGeneration()
	}
}

// supersedeBy ends the reconcile of an object that has another spec now, is another object, or is gone; a
// change of its status or metadata alone does not. After so many in a row it is left to finish, so that
// an object that is changed faster than it can be reconciled makes progress. The event has been put into
// the queue before, so that the item is taken again.
func (c *Controller[T]) supersedeBy(event Event[T]) {
	switch event.Type {
	case Updated:
		why := cause.Superseded
		if event.New.GetDeletionTimestamp() != nil {
			why = cause.ObjectDeleted // it has finalizers, and setting the time of deletion is a new generation
		}
		c.supersede.interrupt(nameOf(event.New), why, func(item *runningItem) bool {
			return item.uid != event.New.GetUID() || item.generation < event.New.GetGeneration()
		})
	case Deleted:
		c.supersede.interrupt(nameOf(event.Old), cause.ObjectDeleted, func(item *runningItem) bool {
			return item.uid == event.Old.GetUID()
		})
	case Added: // nothing of that name was there to be reconciled
	}
}

func (s *supersedes) interrupt(request Request, why *cause.Cause, outdated func(*runningItem) bool) {
	if s.limit <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	item := s.running[request]
	if item == nil || !item.read || !outdated(item) || s.inARow[request] >= s.limit {
		return
	}
	item.read = false // once
	s.inARow[request]++
	item.cancel(why)
}

// settled ends the row, unless the item was superseded again.
func (s *supersedes) settled(request Request) {
	if s.limit <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.inARow, request)
}
