// SPDX-License-Identifier: Apache-2.0

package work

import (
	"slices"
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
	last Version // that one of them led to
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

// Throttled notes that a call of the unit was held back.
func (l *ledger) Throttled(wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.throttled += wait
}

// Wrote notes what became of a write, and the version that it led to.
func (l *ledger) Wrote(call *report.Call, effect Effect, version Version) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.of(call)
	switch effect {
	case Changed:
		of.Changed++
	case WithoutEffect:
		of.WithoutEffect++
	case Unknown:
		of.Unknown++
	}
	for i := range l.rows {
		if last := &l.rows[i].last; last.Collection == version.Collection && last.Name == version.Name {
			*last = Version{}
		}
	}
	of.last = version
}

// LastWrote returns the version that the last write of an object has led to, if the unit has written it and
// that is still known; else an empty string.
func (l *ledger) LastWrote(collection, name string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.rows {
		if last := &l.rows[i].last; last.Collection == collection && last.Name == name {
			return last.Version
		}
	}
	return ""
}

// Account returns what the unit has asked of the API server so far.
func (l *ledger) Account() report.Account {
	l.mu.Lock()
	defer l.mu.Unlock()
	account := report.Account{Throttled: l.throttled}
	for i := range l.rows {
		account.Calls = append(slices.Grow(account.Calls, len(l.rows)-i), l.rows[i].Calls)
	}
	return account
}
