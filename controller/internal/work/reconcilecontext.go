// SPDX-License-Identifier: Apache-2.0

package work

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// reconcileContext is the context of a reconcile function. It ends with its parent, when its time is
// over, and when the function has returned, each with the cause.
//
// The standard library makes the contexts that do this, but only when something waits for the end
// or looks at it after the end. Most reconciles of an object that is as it should be do neither,
// and so they cost no timer and no allocation. It is a part of the item, and must not be copied.
type reconcileContext struct {
	context.Context // the parent: ends for every other reason
	item            reconciled

	made  atomic.Bool // whole and timed are set
	ended atomic.Bool // the function has returned
	over  atomic.Bool // and what descends from this context has ended too

	mu     sync.Mutex
	whole  context.Context // it has no deadline
	cancel context.CancelCauseFunc
	timed  context.Context // the part that has the deadline
	stop   context.CancelFunc
}

// reconciled is the item that a reconcile function is called for. As the detail of a cause, it says whose reconcile
// it was.
type reconciled interface {
	error
	limit() time.Time // the end of the time
}

// begin sets the parent, and the item. It is called once.
func (c *reconcileContext) begin(parent context.Context, item reconciled) {
	c.Context = parent
	c.item = item
}

// Deadline returns the end of the time.
func (c *reconcileContext) Deadline() (time.Time, bool) {
	limit := c.item.limit()
	if above, ok := c.Context.Deadline(); ok && above.Before(limit) {
		return above, true
	}
	return limit, true
}

// Done returns the channel that is closed at the end.
func (c *reconcileContext) Done() <-chan struct{} { return c.parts().Done() }

// Err returns nil before the end.
func (c *reconcileContext) Err() error {
	if !c.made.Load() && !c.ended.Load() && time.Now().Before(c.item.limit()) {
		return c.Context.Err()
	}
	return c.parts().Err()
}

// Value returns the parent's value. The context package finds the cause of the end, and what a child
// ends with, by a value too; it asks for Done or Err first.
func (c *reconcileContext) Value(key any) any {
	if c.made.Load() {
		return c.timed.Value(key)
	}
	return c.Context.Value(key)
}

// parts makes the contexts, unless they are there, and returns the one with the deadline.
func (c *reconcileContext) parts() context.Context {
	if c.made.Load() {
		return c.timed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made.Load() {
		return c.timed
	}
	c.whole, c.cancel = context.WithCancelCause(c.Context)
	if c.ended.Load() {
		c.cancel(cause.Returned.With(c.item))
	}
	c.timed, c.stop = context.WithDeadlineCause(c.whole, c.item.limit(), cause.ItemTimeout)
	c.made.Store(true)
	return c.timed
}

// withoutDeadline returns a context that ends as this one, but not when its time is over.
func (c *reconcileContext) withoutDeadline() context.Context {
	c.parts()
	return c.whole
}

// Returned ends the context of the reconcile function, and all that is left of it, because the
// function has returned.
func (c *reconcileContext) Returned() {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.over.Store(true)
	c.ended.Store(true)
	if c.made.Load() {
		c.cancel(cause.Returned.With(c.item))
		c.stop()
	}
}
