// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strings"
	"time"
)

// Account is what a reconcile has asked of the API server.
type Account struct {
	// Calls has a row for each verb and resource, in the order of their first calls.
	Calls []Calls
	// Throttled is the time for which calls were held back on this side: by the client-side rate limiter,
	// for room on a connection, because the API server asked for it, and by the fence. Waits of calls that
	// were made at the same time add up.
	Throttled time.Duration
}

// Calls is the calls of one verb and resource.
type Calls struct {
	// Verb and Resource are those of [Call]. Resource is "other" for requests that are not about a resource.
	Verb, Resource string
	// Attempts is the number of attempts: a call that was tried again counts again.
	Attempts int
	// Sent and Received are the bytes of the bodies, without headers. What the connection compresses
	// counts as it was before that. A call that has not ended does not count yet, nor does what was not read.
	Sent, Received int64
	// OnWire is the time from sending the requests until the answers were read. Calls that were made at the
	// same time add up. A call that has not ended does not count yet.
	OnWire time.Duration
	// Changed is the number of writes that made a new version of an object, or deleted it.
	Changed int
	// WithoutEffect is the number of writes after which the object had the version that it had before. The
	// version before is known from a cache of the manager, from an earlier write of the same reconcile,
	// or from the request. If it is not known, the write counts as one that changed something.
	WithoutEffect int
	// Unknown is the number of writes of which nobody knows what became of them: they were cut off, or the
	// answer does not say it. They may have been applied.
	Unknown int
}

// Total returns the sum of all rows. It has no verb and no resource.
func (a Account) Total() Calls {
	var total Calls
	for i := range a.Calls {
		total.Add(&a.Calls[i])
	}
	return total
}

// Add adds the numbers of another row.
func (c *Calls) Add(other *Calls) {
	c.Attempts += other.Attempts
	c.Sent += other.Sent
	c.Received += other.Received
	c.OnWire += other.OnWire
	c.Changed += other.Changed
	c.WithoutEffect += other.WithoutEffect
	c.Unknown += other.Unknown
}

// String returns the rows in one line.
func (a Account) String() string {
	if len(a.Calls) == 0 {
		return "no calls"
	}
	rows := make([]string, 0, len(a.Calls)+1)
	for i := range a.Calls {
		rows = append(rows, a.Calls[i].String())
	}
	if a.Throttled > 0 {
		rows = append(rows, fmt.Sprintf("throttled for %v", a.Throttled.Round(time.Millisecond)))
	}
	return strings.Join(rows, "; ")
}

// String returns the row in one line, without what is zero.
func (c Calls) String() string {
	words := fmt.Sprintf("%d × %s %s", c.Attempts, c.Verb, c.Resource)
	var notes []string
	for _, n := range []struct {
		number int
		what   string
	}{{c.WithoutEffect, "without effect"}, {c.Unknown, "with an unknown effect"}} {
		if n.number > 0 {
			notes = append(notes, fmt.Sprintf("%d %s", n.number, n.what))
		}
	}
	notes = append(notes, fmt.Sprintf("%d B sent", c.Sent), fmt.Sprintf("%d B received", c.Received),
		c.OnWire.Round(time.Microsecond).String())
	return words + " (" + strings.Join(notes, ", ") + ")"
}
