// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// Term is the report of a term of leadership that has ended. Queued counts the items that were
// still waiting when it ended. They are not lost: the next leader reads all objects when it starts.
type Term struct {
	Term   cause.Term
	Length time.Duration // from the term's beginning to its end
	Shutdown
}

// String returns the report in a few lines for a person to read.
func (r Term) String() string {
	return fmt.Sprintf("term %v on the lease %v, %v long, %v",
		r.Term, r.Term.Lease, r.Length.Round(time.Millisecond), r.Shutdown)
}
