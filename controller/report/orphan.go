// SPDX-License-Identifier: Apache-2.0

package report

import "fmt"

// OrphanKind says why a call does not belong to any work of the manager. It is a label of metrics.
type OrphanKind string

// The kinds of orphans.
const (
	// OrphanOutside: the call's context is not one that the manager has made, such as
	// context.Background() or that of an HTTP request, or it was detached from one by
	// [context.WithoutCancel].
	OrphanOutside OrphanKind = "outside"
	// OrphanReturned: the call's context was that of a reconcile, which has returned. Something has
	// kept it, such as a goroutine.
	OrphanReturned OrphanKind = "returned"
)

// OrphanKinds returns all kinds of orphans.
func OrphanKinds() []OrphanKind { return []OrphanKind{OrphanOutside, OrphanReturned} }

// Orphan is a line of code that makes calls which do not belong to any work of the manager.
type Orphan struct {
	Kind OrphanKind
	At   string // the line, as file:line
	// Call is the first that the line made. Its Verb is empty if the call was refused before it was
	// known: client-go asks the rate limiter before it makes the request.
	Call Call
	// Work is what the context was for: Kind, Owner and Item are set. Empty if nobody knows.
	Work Work
}

// String returns the orphan in one line, the place in the code first.
func (o Orphan) String() string {
	call := "a call"
	if o.Call.Verb != "" {
		call = o.Call.String()
	}
	why := "with a context from outside the manager"
	switch {
	case o.Kind == OrphanReturned:
		why = "with the context of a reconcile that has returned: " + o.Work.name()
	case o.Work.Kind != "":
		why = "with a context that was detached from " + o.Work.name()
	}
	return fmt.Sprintf("%s: %s %s", o.At, call, why)
}
