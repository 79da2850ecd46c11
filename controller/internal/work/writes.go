// SPDX-License-Identifier: Apache-2.0

package work

import (
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// Written is the writes of one verb and resource.
type Written struct {
	Verb, Resource, Name             string // Name is that of the object written last, if it is known
	Version                          string // that the last write led to; empty if it is not known
	Attempts, WithoutEffect, Unknown int
}

// AppendWrites adds what the unit has written to a slice, and returns how many calls it has made, reads included.
func (l *ledger) AppendWrites(to []Written) (calls int, all []Written) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.rows {
		row := &l.rows[i]
		calls += row.Attempts
		if apicall.ReadOnly(&report.Call{Verb: row.Verb, Resource: row.Resource}) {
			continue
		}
		to = append(to, Written{
			Verb: row.Verb, Resource: row.Resource, Name: row.name, Version: row.version,
			Attempts: row.Attempts, WithoutEffect: row.WithoutEffect, Unknown: row.Unknown,
		})
	}
	return calls, to
}
