// SPDX-License-Identifier: Apache-2.0

package work

import "context"

// Descent is how the end of a context depends on the work that it names.
type Descent int

// How a context may depend on its work.
const (
	Descends Descent = iota // it ends with the work
	Unclear                 // nothing says whether it does
	Detached                // it does not, as one of [context.WithoutCancel]
)

// Descent returns how a context with the unit's values depends on the unit. A context of a derived one
// has the channel of that; of a context with a channel of its own, such as one with a time limit, the
// standard library does not say what it ends with. What is certain is that
//   - one that never ends is detached;
//   - one that may outlive the item's whole time is detached from the item;
//   - one that is alive after the reconcile function has returned is detached from the item.
func (u *Unit) Descent(ctx context.Context) Descent {
	done := ctx.Done()
	if done == nil {
		return Detached
	}
	if u.reconcileContext.Context == nil { // no reconcile function has it
		return Descends
	}
	over := u.over.Load() // before ctx is looked at
	if done == u.reconcileContext.Done() {
		return Descends
	}
	deadline, limited := ctx.Deadline()
	if !limited || deadline.After(u.due()) || over && ctx.Err() == nil {
		return Detached
	}
	return Unclear
}

// ReconcileDone returns the channel that is closed when the context of an item's reconcile function
// ends. It is nil if there is no such function.
func (u *Unit) ReconcileDone() <-chan struct{} {
	if u.reconcileContext.Context == nil {
		return nil
	}
	return u.reconcileContext.Done()
}
