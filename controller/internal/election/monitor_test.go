// SPDX-License-Identifier: Apache-2.0

package election

import (
	"fmt"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// reign is a term as the monitor sees it.
type reign struct {
	*term.Term
	of      *replica
	uid     types.UID
	version int  // of the lease as it was taken
	over    bool // it has been seen over
	working bool // its work has not returned
}

// monitor looks at all replicas from outside, and knows the true time.
type monitor struct {
	mu       sync.Mutex
	replicas []*replica
	reigns   []*reign
	numbers  map[types.UID]int       // the last that was written
	terms    map[string]bool         // lease and number of each term
	robbed   []*coordinationv1.Lease // states that let others lead at once, made by hand
	writes   int
	faults   []string
	story    []string // the last that happened
	began    time.Time
}

func newMonitor() *monitor {
	return &monitor{numbers: map[types.UID]int{}, terms: map[string]bool{}, began: time.Now()}
}

// violated must be called with the lock held, and so must tell.
func (m *monitor) violated(format string, args ...any) {
	m.tell("VIOLATED: "+format, args...)
	m.faults = append(
		m.faults,
		fmt.Sprintf("%v: ", time.Since(m.began))+fmt.Sprintf(format, args...),
	)
}

func (m *monitor) tell(format string, args ...any) {
	m.story = append(
		m.story,
		fmt.Sprintf("%12v  ", time.Since(m.began))+fmt.Sprintf(format, args...),
	)
}

func (m *monitor) note(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tell(format, args...)
}

// valid reports whether a term really is, and that none that was over is again.
func (m *monitor) valid(r *reign) bool {
	valid := r.of.process.left(r.Term) > 0
	switch {
	case !valid:
		r.over = true
	case r.over:
		m.violated("revived: %v of replica %d", r.Term, r.of.number)
	}
	// The lease promises others no more than its duration from when it was written.
	config := r.of.candidate.config
	if most := config.LeaseDuration - config.Margin - (r.of.process.truth() - r.of.written); valid &&
		r.of.process.left(r.Term) > most+time.Microsecond {
		m.violated(
			"too long: %v of replica %d is valid for %v, and may be for %v",
			r.Term,
			r.of.number,
			r.of.process.left(r.Term),
			most,
		)
	}
	return valid && !r.of.process.isDead()
}

// excused reports whether a person had let others lead during the term.
func (m *monitor) excused(r *reign) bool {
	for _, lease := range m.robbed {
		if lease.UID == r.uid && versionOf(lease) > r.version {
			return true
		}
	}
	return false
}

// begins is called when a replica has been told that it leads.
func (m *monitor) begins(of *replica, t *term.Term, uid types.UID) *reign {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := &reign{
		Term:    t,
		of:      of,
		uid:     uid,
		version: versionOf(&coordinationv1.Lease{ObjectMeta: meta(t.ResourceVersion)}),
		working: true,
	}
	m.reigns = append(m.reigns, r)
	m.tell("replica %d leads in term %d, valid for %v", of.number, t.Number, of.process.left(t))
	name := fmt.Sprintf("%s#%d", uid, t.Number)
	if m.terms[name] {
		m.violated("two terms are %s", name)
	}
	m.terms[name] = true
	m.alone(r)
	return r
}

// alone checks that nobody else's term is valid while this one is.
func (m *monitor) alone(r *reign) {
	if !m.valid(r) || m.excused(r) {
		return
	}
	for _, other := range m.reigns {
		if other.of != r.of && m.valid(other) && !m.excused(other) {
			m.violated(
				"two terms are valid: %v of replica %d for %v, and %v of replica %d for %v",
				r.Term,
				r.of.number,
				r.of.process.left(r.Term),
				other.Term,
				other.of.number,
				other.of.process.left(other.Term),
			)
		}
	}
}

// write is a write that a replica makes because its term lets it.
func (m *monitor) write(r *reign) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	if !m.valid(r) {
		m.violated("replica %d wrote although %v is over by the true time", r.of.number, r.Term)
	}
	m.alone(r)
}

func (m *monitor) returned(r *reign) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r.working = false
	m.valid(r)
}

// applied sees each change of the lease in the instant in which it is made.
func (m *monitor) applied(by int, before, after *coordinationv1.Lease) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if by < 0 {
		m.tell("by hand: %s", describe(after))
		return
	}
	m.tell("written by %d: %s", by, describe(after))
	writer := m.replicas[by]
	writer.written = writer.process.truth()
	if holderOf(after) == "" {
		if before == nil || !writer.candidate.owner.holds(before) {
			m.violated("replica %d released what is not its own: %s", by, describe(before))
		}
		for _, r := range m.reigns {
			if r.of == writer && r.uid == after.UID &&
				(r.working && !writer.process.isDead() || m.valid(r)) {
				m.violated("replica %d released the lease while %v went on", by, r.Term)
			}
		}
		return
	}
	number := int(ptr.Deref(after.Spec.LeaseTransitions, 0))
	taken := before == nil ||
		before.Annotations[ProcessAnnotation] != writer.candidate.owner.process
	if last, known := m.numbers[after.UID]; known && (number < last || taken && number == last) {
		m.violated("replica %d wrote term %d after term %d", by, number, last)
	}
	m.numbers[after.UID] = number
	if !taken {
		return
	}
	for _, r := range m.reigns {
		if r.of != writer && m.valid(r) && !m.excused(r) {
			m.violated(
				"replica %d took the lease while %v of replica %d was valid for another %v",
				by,
				r.Term,
				r.of.number,
				r.of.process.left(r.Term),
			)
		}
	}
}

// releasing sees the request for a release when it leaves the process.
func (m *monitor) releasing(lease *coordinationv1.Lease, read string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if lease.ResourceVersion == "" || lease.ResourceVersion != read {
		m.violated(
			"a release has the resourceVersion %q, what was read has %q",
			lease.ResourceVersion,
			read,
		)
	}
}

// told sees a state of the lease reach a process: if it shows that the term is over, it has to be.
func (m *monitor) told(of *replica, lease *coordinationv1.Lease, byWatch bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := of.known
	if !byWatch {
		of.known = max(known, versionOf(lease))
	}
	if byWatch && versionOf(lease) <= known || of.candidate.owner.holds(lease) {
		return
	}
	for _, r := range m.reigns {
		if r.of == of && r.uid == lease.UID && versionOf(lease) > r.version && m.valid(r) {
			time.AfterFunc(time.Millisecond, func() {
				m.mu.Lock()
				defer m.mu.Unlock()
				if m.valid(r) && !of.process.stopped() {
					m.violated(
						"replica %d was shown (watch: %v) %s, and %v goes on",
						of.number,
						byWatch,
						describe(lease),
						r.Term,
					)
				}
			})
		}
	}
}

// leader is the replica whose term is valid, nil when there is none.
func (m *monitor) leader() *replica {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.reigns {
		if m.valid(r) && !r.of.process.stopped() {
			return r.of
		}
	}
	return nil
}

// byHand notes that the lease has been edited so that others may lead before the holder knows.
func (m *monitor) byHand(lease *coordinationv1.Lease) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.robbed = append(m.robbed, lease)
}

func describe(lease *coordinationv1.Lease) string {
	if lease == nil {
		return "no lease"
	}
	return fmt.Sprintf(
		"%s/%s held by %q (%.4s) for %ds, term %d",
		lease.UID,
		lease.ResourceVersion,
		holderOf(lease),
		lease.Annotations[ProcessAnnotation],
		ptr.Deref(lease.Spec.LeaseDurationSeconds, 0),
		ptr.Deref(lease.Spec.LeaseTransitions, 0),
	)
}
