package work

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/tracescope"
)

// itemContext is the context of an item's reconcile. It is part of the unit, so that it costs no allocation
// of its own. What most items never ask for is made when someone does: the logger, and the timer, which takes a
// place among those of the process and one among the children of the context above.
type itemContext struct {
	context.Context // the item's own, without its time
	unit            *Unit
	due             time.Time

	limiting sync.Once
	limited  atomic.Bool // whether there is a timer
	timed    context.Context
	cancel   context.CancelFunc
	over     atomic.Bool // the reconcile has returned
}

// limit returns the context with the timer.
func (c *itemContext) limit() context.Context {
	if c.limited.Load() {
		return c.timed
	}
	c.limiting.Do(func() {
		c.timed, c.cancel = context.WithDeadlineCause(c.Context, c.due, cause.ItemTimeout)
		c.limited.Store(true)
		if c.over.Load() {
			c.cancel()
		}
	})
	return c.timed
}

// end ends the context, also for those who will ask only later.
func (c *itemContext) end() {
	c.over.Store(true)
	if c.limited.Load() {
		c.cancel()
	}
}

// Deadline is the item's, unless the context above has an earlier one.
func (c *itemContext) Deadline() (time.Time, bool) {
	if above, ok := c.Context.Deadline(); ok && above.Before(c.due) {
		return above, true
	}
	return c.due, true
}

// Done makes the timer.
func (c *itemContext) Done() <-chan struct{} { return c.limit().Done() }

// Err is what it would be with a timer.
func (c *itemContext) Err() error {
	if !c.limited.Load() && !c.over.Load() && c.Context.Err() == nil && time.Now().Before(c.due) {
		return nil
	}
	return c.limit().Err()
}

// Value knows the unit and what applies to traces, and adds the item to whatever logger the contexts above have.
func (c *itemContext) Value(key any) any {
	switch key.(type) {
	case contextKey:
		return c.unit
	case tracescope.Key:
		if c.unit.Scope.Annotations != nil {
			return &c.unit.Scope
		}
	case *int: // by which the package context looks for what to be cancelled with, and for the cause
		return c.limit().Value(key)
	}
	value := c.Context.Value(key)
	if logger, ok := value.(logr.Logger); ok && reflect.TypeOf(key).PkgPath() == logrPackage {
		return c.unit.logger(logger)
	}
	return value
}

// logrPackage is where the key of loggers in contexts is from.
const logrPackage = "github.com/go-logr/logr"

// logger is the logger of the item, made once.
func (u *Unit) logger(base logr.Logger) any {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.log == nil {
		u.log = base.WithValues("object", klog.KRef(u.Key.Namespace, u.Key.Name), "attempt", u.Attempt)
	}
	return u.log
}
