// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"strings"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Plan is the result of a dry run. What one reconcile would do is in the order in which it would do it.
type Plan struct {
	Reconciles int       // the number of reconciles that were made
	Changes    []Change  // what would change
	Failures   []Failure // reconciles that have failed, and calls that could not be dry
	Stops      []Stop    // what could not be followed
	NotRun     []string  // what the manager has and a dry run leaves out: runnables, sources that are no informers
}

// Unchanged reports whether nothing would change, as far as the dry run could tell: see Failed.
func (p *Plan) Unchanged() bool { return len(p.Changes) == 0 && len(p.Stops) == 0 }

// Failed reports whether something has failed, so that the plan is not the whole of it.
func (p *Plan) Failed() bool { return len(p.Failures) > 0 }

// Author is on whose behalf a call was made. It is empty for a call with a context from outside the manager.
type Author struct {
	Controller string            // the name of the controller; empty for a runnable
	Request    reconcile.Request // the object that it has reconciled
	Runnable   string            // the name of the runnable; empty for a controller
}

// String returns the author in a few words.
func (a Author) String() string {
	switch {
	case a.Controller != "":
		return a.Controller + " " + a.Request.String()
	case a.Runnable != "":
		return "runnable " + a.Runnable
	}
	return "a context from outside the manager"
}

// Object names an object.
type Object struct {
	Group     string
	Resource  string // such as deployments
	Kind      string // as the API server has answered; empty if it has not said
	Namespace string
	Name      string
	// GenerateName is the beginning of the name, if the API server makes that up. Name is empty then.
	GenerateName string
	Subresource  string // such as status; empty for the object itself
}

// String returns the object as calls are written: the resource with its group and subresource, and the name.
func (o Object) String() string {
	text := o.Resource
	if o.Group != "" {
		text += "." + o.Group
	}
	if o.Subresource != "" {
		text += "/" + o.Subresource
	}
	name := o.Name
	if o.GenerateName != "" {
		name = o.GenerateName + "<random>"
	}
	if o.Namespace != "" {
		name = o.Namespace + "/" + name
	}
	return strings.TrimSpace(text + " " + name)
}

// Action is what would become of an object.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update" // by an update, a patch or an apply
	Delete Action = "delete"
)

// Change is what a call would change. A call that would change nothing is none.
type Change struct {
	Action Action
	Object Object
	Author Author
	// Fields are the fields that would change, or those of the new object. Times, versions, managedFields,
	// the UID and the generation are left out. A deletion has none.
	Fields []Field
	// Unread says that the fields are not known: the account may not read the object, or the answer is in an
	// encoding for which no scheme of the manager has the type.
	Unread bool
	// Times is how often this was asked for: more than once for several rounds, or several objects with
	// generated names.
	Times int
}

// Field is a field that would change.
type Field struct {
	Path string // such as spec.replicas, or status.conditions[type=Ready].reason
	Old  any    // as JSON has it; nil if there is none
	New  any    // the same
	// Hidden says that the values are left out, because they are in a Secret.
	Hidden bool
}

// Failure is a reconcile that has failed, or a call that could not be dry.
type Failure struct {
	Author Author
	// Verb and Object are those of a call that could not be dry; empty for a reconcile that has failed.
	Verb   string
	Object Object
	// Webhook is the admission webhook that has side effects, for which the API server has refused the call.
	Webhook string
	Err     error
}

// Stop is what could not be followed, because an earlier write was not really made.
type Stop struct {
	Author Author
	// Verb and Object are those of the call that has failed. They are empty if the reconcile has failed
	// without one, such as by a look into a cache.
	Verb   string
	Object Object
	// Action and Of are the write that was not really made.
	Action Action
	Of     Object
	Err    error // with which the reconcile has ended because of that; nil if it went on
}

// String returns the stop in one line.
func (s Stop) String() string {
	what := "the reconcile"
	if s.Verb != "" {
		what = s.Verb + " " + s.Object.String()
	}
	return fmt.Sprintf("%s could not be followed, because the %s of %s was not really made", what, s.Action, s.Of)
}
