package work

import (
	"context"
	"reflect"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// itemContext is the context of an item's reconcile. It is part of the unit, so that it costs no allocation
// of its own, and it makes the item's logger when someone asks for one, which most items never do.
type itemContext struct {
	context.Context
	unit *Unit
}

// Value knows the unit, and adds the item to whatever logger the contexts above have.
func (c *itemContext) Value(key any) any {
	if key == (contextKey{}) {
		return c.unit
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
