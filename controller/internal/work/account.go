// SPDX-License-Identifier: Apache-2.0

package work

import (
	"time"

	"github.com/lanyard-k8s/lanyard/controller/report"
)

// other is the resource of the calls that are not about a resource: the number of their paths is not bounded.
const other = "other"

// Traffic is what a call has moved.
type Traffic struct {
	Sent, Received int64 // bytes of the bodies
	OnWire         time.Duration
}

// Effect is what became of a write.
type Effect int

// The effects of writes.
const (
	Changed       Effect = iota // the object has a new version, or is gone
	WithoutEffect               // the object has the version that it had before
	Unknown                     // the API server may or may not have applied the write
)

// Version is the version that a write led to.
type Version struct{ Collection, Name, Version string }

// row is the calls of one verb and resource.
type row struct {
	report.Calls
	last Version // that one of them led to, unless the object has been written since

	name, version string // of the object written last
}

// account is what a unit has asked of the API server, by verb and resource. The ledger's lock is held
// when it is used.
type account struct {
	rows      []row
	throttled time.Duration
}

// of returns the row of a call.
func (a *account) of(call *report.Call) *row {
	resource := call.Resource
	if call.Path != "" {
		resource = other
	}
	for i := range a.rows {
		if a.rows[i].Verb == call.Verb && a.rows[i].Resource == resource {
			return &a.rows[i]
		}
	}
	if a.rows == nil {
		a.rows = make([]row, 0, 2) // most reconciles that make calls write an object and its status
	}
	a.rows = append(a.rows, row{Calls: report.Calls{Verb: call.Verb, Resource: resource}})
	return &a.rows[len(a.rows)-1]
}
