// SPDX-License-Identifier: Apache-2.0

// Package tree makes the contexts of a manager: the root from which all others descend, and those
// whose end differs from their parent's.
package tree

import (
	"context"
	"sync"
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
	r := &root{parent: parent, first: map[*endFirst]struct{}{}}
	r.Context, r.cancel = context.WithCancelCause(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() { r.endWithParent() })
	return r, r.end, func() {
		stop()
		r.end(cause.Shutdown)
	}
}

// root holds its parent, as contexts do.
type root struct {
	context.Context
	parent context.Context
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	first map[*endFirst]struct{}
}

// endFirst is called when the root is about to end, with the cause.
type endFirst struct{ call func(why error) }

type rootKey struct{}

// end ends the tree. What has to end with it is told first, so that whoever sees that the root has
// ended sees that it has ended too.
func (r *root) end(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Context.Err() != nil {
		return
	}
	for first := range r.first {
		first.call(why)
	}
	r.cancel(why)
}

// endWithParent ends the tree if the parent has ended: now, and not when the goroutine of AfterFunc
// runs.
func (r *root) endWithParent() {
	if r.parent.Err() != nil && r.Context.Err() == nil {
		r.end(cause.Shutdown.With(context.Cause(r.parent)))
	}
}

// Err asks the parent too, so that the tree never seems to live on after the parent has ended.
func (r *root) Err() error {
	r.endWithParent()
	return r.Context.Err()
}

// Done asks the parent too. The context package calls it for each child that is made.
func (r *root) Done() <-chan struct{} {
	r.endWithParent()
	return r.Context.Done()
}

// Value returns the parent's value.
func (r *root) Value(key any) any {
	if key == (rootKey{}) {
		return r
	}
	return r.Context.Value(key)
}

// Deadline returns the parent's deadline.
func (r *root) Deadline() (time.Time, bool) { return r.parent.Deadline() }

// atEnd makes the root of ctx call a function in the instant of its end, which must return at once.
// It does nothing if ctx has no root. forget undoes it.
func atEnd(ctx context.Context, call func(why error)) (forget func()) {
	r, ok := ctx.Value(rootKey{}).(*root)
	if !ok {
		return func() {}
	}
	first := &endFirst{call}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.first[first] = struct{}{}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.first, first)
	}
}

// settle waits until the root of ctx has ended with all that ends in the same instant, if it is about to.
func settle(ctx context.Context) {
	if r, ok := ctx.Value(rootKey{}).(*root); ok {
		r.mu.Lock()
		defer r.mu.Unlock()
	}
}
