// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// Renewal is a term that is being renewed in the background. Whoever has one must call
// [Renewal.Release] or [Renewal.Abandon], also after the term has ended by itself: they wait for
// the goroutine that renews. Both may be called more than once.
type Renewal struct {
	// Term is the term that is being renewed.
	Term *term.Term

	candidate *Candidate
	done      <-chan struct{} // closed when the elector has returned
}

// Release ends the term, stops the renewals, and releases the lease (see [Candidate.Release]).
// Call it when nothing that needs the term is running.
func (r *Renewal) Release(ctx context.Context) error {
	r.Abandon()
	return r.candidate.Release(ctx)
}

// Abandon ends the term and stops the renewals, but does not release the lease. Others have to wait
// until it expires. Call it when something that needs the term may still be running.
func (r *Renewal) Abandon() {
	r.Term.End(cause.TermResigned, "") // which stops the elector
	<-r.done
}
