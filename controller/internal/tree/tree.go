// Package tree makes the context from which every other context of a manager descends.
package tree

import (
	"context"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// New returns the tree's root. It has the values and the deadline of parent (C1) and ends in the
// instant in which parent does, with [cause.Shutdown] and the parent's own cause as the detail, or
// when end is called, with the error given to it (C2). Every context below it ends with it (C3).
//
// It is not derived from parent by the context package because a child cannot have another cause
// than the parent that ends it. release frees what ties the tree to parent, and ends the tree.
func New(parent context.Context) (ctx context.Context, end context.CancelCauseFunc, release func()) {
	inner, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() { cancel(cause.Shutdown.With(context.Cause(parent))) })
	return &root{Context: inner, parent: parent}, cancel, func() {
		stop()
		cancel(cause.Shutdown)
	}
}

// A context may hold its parent: that is what it is made of.
type root struct {
	context.Context
	parent context.Context
}

// Err asks the parent too, so that there is no moment in which the parent has ended and the tree
// seems not to have.
func (r *root) Err() error {
	if r.parent.Err() != nil {
		<-r.Done()
	}
	return r.Context.Err()
}

func (r *root) Deadline() (time.Time, bool) { return r.parent.Deadline() }
