// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"strings"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// maxObjects is the number of objects that are kept of a permission. After that it is one entry for
// each namespace, and after as many again one for all.
const maxObjects = 32

// object is what a use is about, as far as the authorizer knows it.
type object struct{ namespace, name string }

// objects are those with which a program has done one thing.
type objects struct{ at map[object]*seen }

// get returns what was seen of an object, or of all if there are too many.
func (o *objects) get(at object) *seen {
	if s := o.at[at]; s != nil {
		return s
	}
	if len(o.at) >= maxObjects && at.name != "" {
		at.name = Any
	}
	if len(o.at) >= 2*maxObjects && at.namespace != "" {
		at.namespace = Any
	}
	if o.at[at] == nil {
		o.at[at] = &seen{}
	}
	return o.at[at]
}

// seen is what is known of the uses of an object.
type seen struct {
	by      string
	known   bool // by is set
	refused bool
	outside bool              // something that is no item has used it
	item    reconcile.Request // the first item that has used it
	items   bool              // there was one
	several bool              // there were several items
}

// note adds that a unit has used the object; nil for code outside the manager's work.
func (s *seen) note(unit *work.Unit) {
	if !s.known {
		s.by, s.known = by(unit), true
	}
	if unit == nil || unit.Kind != report.Item {
		s.outside = true
		return
	}
	if !s.items {
		s.item, s.items = unit.Key, true
	}
	s.several = s.several || s.item != unit.Key
}

// fixed reports whether the namespace and the name are the program's own choice. What does not
// reconcile has no object from which it could have them. A reconcile function may have made them of
// its object's, unless reconciles of several objects use the same.
func (s *seen) fixed(at object) (namespace, name bool) {
	namespace = s.outside || s.several && at.namespace != s.item.Namespace
	name = s.outside || s.several && !strings.Contains(at.name, s.item.Name)
	return namespace && at.namespace != "" && at.namespace != Any, name && at.name != "" && at.name != Any
}

// by names the work that makes a call.
func by(unit *work.Unit) string {
	switch {
	case unit == nil:
		return ""
	case unit.Kind == report.Item:
		return string(report.Controller) + " " + unit.Owner
	}
	return string(unit.Kind) + " " + unit.Owner
}
