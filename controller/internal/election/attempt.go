// SPDX-License-Identifier: Apache-2.0

package election

import (
	"fmt"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// attempt is one attempt to acquire the lease, and the term that comes of it: what is known of the
// lease, and whether it still lets this candidate lead. The elector and the watch of the lease use
// it at the same time.
type attempt struct {
	owner    owner
	duration time.Duration // of the lease, as this candidate writes it
	// campaign returns nil, or the cause for which the campaign has ended.
	campaign func() error
	// elected is closed once there is a term.
	elected chan struct{}

	mu    sync.Mutex
	lease *coordinationv1.Lease // as last read or written; nil before
	term  *term.Term            // nil before the lease is acquired
}

func newAttempt(o owner, duration time.Duration, campaign func() error) *attempt {
	return &attempt{
		owner: o, duration: duration, campaign: campaign, elected: make(chan struct{}),
	}
}

// begin begins the term.
func (a *attempt) begin(t *term.Term) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.term = t
	close(a.elected)
}

// currentTerm returns the term, nil before the lease is acquired.
func (a *attempt) currentTerm() *term.Term {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.term
}

// check returns nil while requests may be sent: until the campaign ends, and from then on while
// there is a term that is valid.
func (a *attempt) check() error {
	if t := a.currentTerm(); t != nil {
		return t.Check()
	}
	if err := a.campaign(); err != nil {
		return &stoppedError{err}
	}
	return nil
}

// remember keeps a lease that was read or written.
func (a *attempt) remember(lease *coordinationv1.Lease) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lease = lease
}

// lastLease returns a copy of the lease as last read or written, nil before.
func (a *attempt) lastLease() *coordinationv1.Lease {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lease.DeepCopy()
}

// end ends the term, if there is one.
func (a *attempt) end(how cause.TermEnd, detail string) {
	if t := a.currentTerm(); t != nil {
		t.End(how, detail)
	}
}

// endUnlessHeld ends the term if this lease, which must not be older than the last one known, does
// not let this candidate lead any more.
func (a *attempt) endUnlessHeld(lease *coordinationv1.Lease) {
	switch {
	case holderOf(lease) == "":
		a.end(cause.TermReleased, "")
	case !a.owner.holds(lease):
		a.end(cause.TermTaken, a.owner.describeHolder(lease))
	case DurationOf(lease) < a.duration:
		seconds := int(DurationOf(lease).Seconds())
		a.end(cause.TermEdited, fmt.Sprintf("leaseDurationSeconds is %d", seconds))
	}
}

// watched handles a lease that the watch has brought. It may be older than the last one known.
func (a *attempt) watched(lease *coordinationv1.Lease) {
	if a.concerns(lease) {
		a.endUnlessHeld(lease)
	}
}

// watchedDeleted handles the deletion of this lease, which the watch has brought.
func (a *attempt) watchedDeleted(lease *coordinationv1.Lease) {
	if a.concerns(lease) {
		a.end(cause.TermDeleted, "")
	}
}

// concerns reports whether the term may end because of this lease: there is a term, and the lease
// is newer than the last one known. The order matters: the lease that began the term is known
// before there is a term, so that nothing from before the term ends it.
func (a *attempt) concerns(lease *coordinationv1.Lease) bool {
	return a.currentTerm() != nil && a.isNewer(lease)
}

// isNewer reports whether the lease is newer than the last one known. It returns false for another
// lease of the same name: the next renewal shows what to make of it.
func (a *attempt) isNewer(lease *coordinationv1.Lease) bool {
	known := a.lastLease()
	if known == nil || known.UID != lease.UID {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(
		known.ResourceVersion, lease.ResourceVersion)
	return err == nil && order < 0
}
