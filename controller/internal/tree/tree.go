// SPDX-License-Identifier: Apache-2.0

// Package tree makes the contexts of a manager: the root from which all others descend, and those
// whose end differs from their parent's.
package tree

import (
	"context"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// New returns the root of the tree. It has the values and the deadline of parent. It ends when
// parent does, with [cause.Shutdown] and the parent's cause as the detail, or when end is called,
// with the error passed to it. Every context below it ends with it. release ends the tree, and must
// be called.
//
// The context package cannot derive it from parent, because a child always has the cause of the
// parent that ends it.
func New(
	parent context.Context,
) (ctx context.Context, end context.CancelCauseFunc, release func()) {
	inner, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	shutDown := func() { cancel(cause.Shutdown.With(context.Cause(parent))) }
	stop := context.AfterFunc(parent, shutDown)
	if parent.Err() != nil {
		shutDown() // now, and not when the goroutine of AfterFunc runs
	}
	return &root{Context: inner, parent: parent}, cancel, func() {
		stop()
		cancel(cause.Shutdown)
	}
}

// root holds its parent, as contexts do.
type root struct {
	context.Context
	parent context.Context
}

// Err asks the parent too, so that the tree never seems to live on after the parent has ended.
func (r *root) Err() error {
	if r.parent.Err() != nil {
		<-r.Done()
	}
	return r.Context.Err()
}

// Deadline returns the parent's deadline.
func (r *root) Deadline() (time.Time, bool) { return r.parent.Deadline() }
