// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"context"
	"slices"

	coordinationv1 "k8s.io/api/coordination/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/election"
)

// watchers is the number of replicas that follow the pod of each other one: two, so that one that crashes together
// with it is no loss, and not all, so that the number of watches grows as the number of replicas does.
const watchers = 2

// followers follow the pods of other replicas, so that their ends are noticed before their Leases expire. Each
// replica is followed by those that come after it in the order of the Leases' names, in a ring. They are used by one
// goroutine.
type followers struct {
	writer *writer
	of     map[string]*election.Follower // by the name of the Lease
}

// follow follows those that are this replica's to follow now.
func (f *followers) follow(ctx context.Context, m *membership) {
	if f.writer.config.Witness == nil {
		return
	}
	others := f.writer.view.others(m.holder)
	names := []string{m.lease}
	for _, lease := range others {
		names = append(names, lease.Name)
	}
	slices.Sort(names)
	own := slices.Index(names, m.lease)
	followed := map[string]bool{}
	for _, lease := range others {
		after := (own - slices.Index(names, lease.Name) + len(names)) % len(names)
		if after > watchers {
			continue
		}
		followed[lease.Name] = true
		if f.of[lease.Name] == nil {
			f.of[lease.Name] = m.candidate.Follower(f.writer.view.notify)
		}
		f.of[lease.Name].Follow(ctx, lease)
	}
	for name, follower := range f.of {
		if !followed[name] {
			follower.End()
			delete(f.of, name)
		}
	}
}

// ended returns the Leases of memberships whose processes are known to have ended, and how that is known.
func (f *followers) ended(own holder) (over []*coordinationv1.Lease, how []string) {
	for _, lease := range f.writer.view.others(own) {
		if follower := f.of[lease.Name]; follower != nil {
			if proof := follower.Ended(lease); proof != "" {
				over, how = append(over, lease), append(how, proof)
			}
		}
	}
	return over, how
}

// end follows nobody any more.
func (f *followers) end() {
	for name, follower := range f.of {
		follower.End()
		delete(f.of, name)
	}
}

// others returns the Leases of the memberships of others.
func (v *view) others(own holder) (leases []*coordinationv1.Lease) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, m := range v.members {
		if h := holderOf(m.lease); h != own && h != (holder{}) {
			leases = append(leases, m.lease)
		}
	}
	return leases
}
