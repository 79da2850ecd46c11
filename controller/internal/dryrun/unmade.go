// SPDX-License-Identifier: Apache-2.0

package dryrun

import (
	"fmt"

	"github.com/lanyard-k8s/lanyard/controller/plan"
)

// unmade is the objects that would have been created or deleted by now. It is not safe for concurrent use.
type unmade struct {
	creates map[string]plan.Object // by place
	deletes map[string]plan.Object
	uids    map[string]plan.Object // of what would have been created
}

// note notes a change.
func (u *unmade) note(change *plan.Change, after map[string]any) {
	object := change.Object
	if object.Subresource != "" {
		if change.Action == plan.Create && object.Subresource == "eviction" {
			object.Subresource = ""
			u.gone(object)
		}
		return
	}
	if change.Action == plan.Delete {
		u.gone(object)
		return
	}
	if change.Action != plan.Create {
		return
	}
	if u.creates == nil {
		u.creates = map[string]plan.Object{}
		u.uids = map[string]plan.Object{}
	}
	if uid := text(after, "metadata", "uid"); uid != "" {
		u.uids[uid] = object
	}
	named := object
	if object.GenerateName != "" {
		named.GenerateName = ""
		named.Name = text(after, "metadata", "name")
	}
	u.creates[place(named)] = object
}

func (u *unmade) gone(object plan.Object) {
	if u.deletes == nil {
		u.deletes = map[string]plan.Object{}
	}
	u.deletes[place(object)] = object
}

// why returns the object that would have been created by now, and whose absence is the reason for which
// something about an object is not found.
func (u *unmade) why(object plan.Object) (plan.Object, bool) {
	if of, ok := u.creates[place(object)]; ok {
		return of, true
	}
	of, ok := u.creates[place(plan.Object{Resource: "namespaces", Name: object.Namespace})]
	return of, ok && object.Namespace != ""
}

// deleted returns the object that would have been deleted by now.
func (u *unmade) deleted(object plan.Object) (plan.Object, bool) {
	of, ok := u.deletes[place(object)]
	return of, ok
}

// named returns the object that would have been created by now, in a namespace or in none.
func (u *unmade) named(group, resource, namespace, name string) (plan.Object, bool) {
	for _, namespace := range []string{namespace, ""} {
		if of, ok := u.creates[place(plan.Object{Group: group, Resource: resource, Namespace: namespace, Name: name})]; ok {
			return of, true
		}
	}
	return plan.Object{}, false
}

// replaced returns what stands for a string in a plan. The UID of an object that was not really made is
// another one in each dry run.
func (u *unmade) replaced(s string) string {
	if of, ok := u.uids[s]; ok {
		return "<the UID of the new " + of.String() + ">"
	}
	return s
}

// place names what an object is called by, whatever its subresource.
func place(o plan.Object) string {
	return fmt.Sprintf("%s.%s %s/%s", o.Resource, o.Group, o.Namespace, o.Name)
}
