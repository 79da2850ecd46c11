// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// Slot is the report of a slot of a sharded program that a process has lost or given up.
type Slot struct {
	Slot     int
	Term     cause.Term
	Length   time.Duration // from the slot's beginning to its end
	Cause    error         // why it ended; it matches cause.ShardLost unless the manager ended
	InFlight int           // the reconciles that were under way when it ended
	Took     time.Duration // from the end until the last of them had returned
}

// String returns the report in one line.
func (r Slot) String() string {
	return fmt.Sprintf("slot %d, term %v on the lease %v, %v long, ended: %v; %d items in flight returned within %v",
		r.Slot, r.Term, r.Term.Lease, r.Length.Round(time.Millisecond), r.Cause, r.InFlight, r.Took.Round(time.Millisecond))
}
