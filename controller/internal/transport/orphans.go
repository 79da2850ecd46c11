// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
)

// orphans is the calls with contexts from outside the manager. They cannot end with a reconcile or a
// term, because nothing says for which they are made. They end with the manager.
type orphans struct {
	observers observe.Observers
	running   atomic.Pointer[running] // nil before the manager runs
	told      sync.Map                // the lines of code that were told of
	lists     atomic.Bool             // there was a list or watch among them
}

// running is a run of the manager. It holds contexts, because the calls bring none.
type running struct {
	root  context.Context //ctxvet:ok ctxfield: has the logger for what is told of orphans
	until context.Context // ends all orphans
}

// adopt returns the context for a call whose own context is not the manager's. It ends with both. A
// call that is made before the manager runs belongs to the set-up, and is left alone. An error says
// that the manager has ended.
func (o *orphans) adopt(ctx context.Context, c *call) (context.Context, error) {
	run := o.running.Load()
	if run == nil {
		return ctx, nil
	}
	if c.Verb == "list" || c.Verb == "watch" {
		o.lists.Store(true)
	}
	at := callSite()
	if _, known := o.told.LoadOrStore(at, true); !known {
		o.observers.CallOrphaned(run.root, &c.Call, at)
	}
	ctx, c.cancel = o.within(ctx)
	c.req = c.req.WithContext(ctx)
	if ctx.Err() != nil {
		err := c.withCause(ctx.Err())
		c.cancel()
		return nil, err
	}
	return ctx, nil
}

// within returns a context that ends when ctx does, and when all orphans do. done releases it.
func (o *orphans) within(ctx context.Context) (both context.Context, done func()) {
	run := o.running.Load()
	if run == nil {
		return ctx, func() {}
	}
	both, cancel := context.WithCancelCause(ctx)
	end := func() { cancel(context.Cause(run.until)) }
	stop := context.AfterFunc(run.until, end)
	if run.until.Err() != nil {
		end() // now, and not when the goroutine of AfterFunc runs
	}
	return both, func() {
		stop()
		cancel(nil)
	}
}
