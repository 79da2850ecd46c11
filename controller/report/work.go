// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Kind is the kind of a piece of work.
type Kind string

// The kinds of work.
const (
	Item       Kind = "item"       // one reconcile
	Controller Kind = "controller" // a controller: its workers and event handlers
	Informer   Kind = "informer"   // an informer, or the watch of a Lease
	Runnable   Kind = "runnable"   // what AddRunnable and AddLeaderRunnable added
	Leadership Kind = "leadership" // the campaign for a Lease, and the terms that it wins
)

// Work is something that a manager runs or ran.
type Work struct {
	Kind  Kind
	Owner string            // the name of the controller, informer or runnable; the Lease, for leadership
	Item  reconcile.Request // the object; set for an item only
	Age   time.Duration     // since it started, at the moment the report was written
	Calls []Call            // the API calls that were outstanding, or that its end cut short
	Err   error             // what the reconcile function returned; set for a cancelled item only
	Stack string            // its goroutine's stack, for stragglers, if the manager's options ask for it
}

// String returns the work in one line.
func (w Work) String() string {
	var b strings.Builder
	b.WriteString(w.name())
	fmt.Fprintf(&b, ", running for %v", w.Age.Round(time.Millisecond))
	for i, call := range w.Calls {
		b.WriteString([]string{", in ", " and "}[min(i, 1)])
		b.WriteString(call.String())
	}
	return b.String()
}

// name returns what the work is: its kind, its owner and its object.
func (w Work) name() string {
	name := string(w.Kind) + " " + w.Owner
	if w.Item.Name != "" {
		name += " " + w.Item.String()
	}
	return name
}
