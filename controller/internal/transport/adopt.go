// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// adopt returns the context for a call. If that of the call may not end with the manager, it ends with
// both. A call that is made before the manager runs belongs to the set-up, and is left alone. An error
// says that the manager has ended.
func (c *call) adopt(ctx context.Context) (context.Context, error) {
	o := c.orphans
	run := o.running.Load()
	if run == nil {
		return ctx, nil
	}
	switch o.descent(ctx, c.Unit) {
	case work.Descends:
		return ctx, nil
	case work.Detached:
		if c.Unit == nil && (c.Verb == "list" || c.Verb == "watch") {
			o.lists.Store(true)
		}
		o.tell(run, report.OrphanOutside, &c.Call.Call, c.Unit, "")
	case work.Unclear:
	}
	ctx, c.cancel = o.within(ctx, c.Unit)
	c.req = c.req.WithContext(ctx)
	if ctx.Err() != nil {
		err := c.withCause(ctx.Err())
		c.cancel()
		return nil, err
	}
	return ctx, nil
}
