// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"context"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/election"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// membership is a campaign of this replica for its own Lease, and the time that came of it. It is safe for
// concurrent use.
type membership struct {
	holder    holder
	lease     string // its name
	candidate *election.Candidate
	renewal   *election.Renewal           // set once it is won
	tell      func(*coordinationv1.Lease) // tells the candidate what the watch shows
	begin     func(acquired *coordinationv1.Lease, sent time.Duration) *term.Term
	begun     func() // is told that the term has begun

	mu     sync.Mutex
	sent   []renewal
	seen   string     // the newest version of the Lease that the watch has shown
	proved *term.Term // nil until the watch has shown the Lease
}

// renewal is a write of the Lease that has succeeded.
type renewal struct {
	lease *coordinationv1.Lease
	sent  time.Duration
}

// newMembership makes one that tells begun when its term has begun, which is later than the view knows of its Lease.
func newMembership(ctx context.Context, config *Config, begun func()) *membership {
	m := &membership{lease: config.names().member(config.Identity), begun: begun}
	m.candidate = config.candidate(m.renewed)
	m.holder = holder{config.Identity, m.candidate.Process()}
	m.tell = func(lease *coordinationv1.Lease) { m.candidate.Watched(ctx, lease) }
	m.begin = func(acquired *coordinationv1.Lease, sent time.Duration) *term.Term {
		return term.New(ctx, term.Config{
			Term: cause.Term{
				Lease: config.Name, Holder: config.Identity, Number: election.TransitionsOf(acquired),
				ResourceVersion: acquired.ResourceVersion,
			},
			Validity: config.LeaseDuration - config.Margin, Clock: config.Clock, Cause: cause.ShardLost,
			Ended: func(error) {},
		}, sent)
	}
	return m
}

// renewed notes a write that has succeeded.
func (m *membership) renewed(lease *coordinationv1.Lease, sent time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent = append(m.sent, renewal{lease, sent})
	m.prove()
}

// watched notes what the watch shows of the Lease.
func (m *membership) watched(lease *coordinationv1.Lease) {
	m.tell(lease)
	if holderOf(lease) != m.holder {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = lease.ResourceVersion
	m.prove()
}

// prove extends the term by what has come back. m.mu must be held.
func (m *membership) prove() {
	shown := 0
	for shown < len(m.sent) && isShown(m.sent[shown].lease, m.seen) {
		shown++
	}
	if shown == 0 {
		return
	}
	newest := m.sent[shown-1]
	m.sent = m.sent[shown:]
	if m.proved == nil {
		m.proved = m.begin(newest.lease, newest.sent)
		m.begun()
	} else {
		m.proved.Extend(newest.sent)
	}
}

// isShown reports whether a watch that has shown a version has shown the Lease.
func isShown(lease *coordinationv1.Lease, version string) bool {
	if version == "" {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(lease.ResourceVersion, version)
	return err == nil && order <= 0
}

// term returns the term in which this replica may have slots, or nil.
func (m *membership) term() *term.Term {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.proved
}

// part begins the term of a slot whose Lease the membership holds. ended is called when it ends.
func (m *membership) part(ctx context.Context, held *coordinationv1.Lease, ended func(error)) *term.Term {
	return term.NewPart(ctx, term.Config{
		Term: cause.Term{
			Lease:  types.NamespacedName{Namespace: held.Namespace, Name: held.Name},
			Holder: m.holder.identity, Number: election.TransitionsOf(held), ResourceVersion: held.ResourceVersion,
		},
		Within: m.term(), Cause: cause.ShardLost, Ended: ended,
	})
}

// check returns why the membership is over, or nil.
func (m *membership) check() error {
	if err := m.renewal.Term.Check(); err != nil {
		return err
	}
	if proved := m.term(); proved != nil {
		return proved.Check()
	}
	return nil
}

// end ends the term.
func (m *membership) end(how cause.TermEnd, detail string) {
	if proved := m.term(); proved != nil {
		proved.End(how, detail)
	}
}
