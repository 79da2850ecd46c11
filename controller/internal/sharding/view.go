// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"slices"
	"strconv"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/lanyard-k8s/lanyard/controller/internal/election"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// view is what the Leases say, and since when, by this replica's clock. It is safe for concurrent use.
type view struct {
	clock    term.Clock
	duration time.Duration                      // of a Lease that does not say a longer one
	changed  chan struct{}                      // holds an element after a change
	blank    func(slotID) *coordinationv1.Lease // makes the Lease of a slot, which nobody holds

	mu      sync.Mutex
	synced  bool
	root    *coordinationv1.Lease
	leader  *member            // the Lease of leader election that has the root's name; nil unless there is one
	members map[string]*member // by the name of the Lease
	slots   map[slotID]*slotSeen
	gone    map[holder]time.Duration // when a membership was not shown any more
}

type slotID struct{ epoch, slot int }

// member is a membership as its Lease shows it.
type member struct {
	lease *coordinationv1.Lease
	since time.Duration // when it was first seen in this state
}

// slotSeen is the Lease of a slot.
type slotSeen struct {
	lease  *coordinationv1.Lease // as it was last; its holder counts also when it has been deleted
	absent bool
	since  time.Duration // when the holder, or the absence, was first seen
}

func newView(clock term.Clock, duration time.Duration, blank func(slotID) *coordinationv1.Lease) *view {
	return &view{
		clock: clock, duration: duration, blank: blank, changed: make(chan struct{}, 1),
		members: map[string]*member{}, slots: map[slotID]*slotSeen{}, gone: map[holder]time.Duration{},
	}
}

// notify wakes who waits for a change.
func (v *view) notify() {
	select {
	case v.changed <- struct{}{}:
	default:
	}
}

// set takes in a state of a Lease, unless a newer one is known.
func (v *view) set(lease *coordinationv1.Lease) {
	v.mu.Lock()
	defer v.mu.Unlock()
	defer v.notify()
	now := v.clock()
	switch lease.Labels[kindLabel] {
	case kindRoot:
		if v.root == nil || isNewer(lease, v.root) {
			v.root = lease
		}
	case kindMember:
		v.setMember(lease, now)
	case kindSlot:
		v.setSlot(lease, now)
	}
}

func (v *view) setMember(lease *coordinationv1.Lease, now time.Duration) {
	known := v.members[lease.Name]
	if known != nil {
		if !isNewer(lease, known.lease) {
			return
		}
		if before := holderOf(known.lease); before != holderOf(lease) {
			v.leaves(before, now)
		}
	}
	v.members[lease.Name] = &member{lease: lease, since: now}
}

func (v *view) leaves(h holder, now time.Duration) { v.gone[h] = now }

func (v *view) setSlot(lease *coordinationv1.Lease, now time.Duration) {
	id, ok := idOf(lease)
	if !ok {
		return
	}
	known := v.slots[id]
	if known == nil {
		v.slots[id] = &slotSeen{lease: lease, since: now}
		return
	}
	if !known.absent && !isNewer(lease, known.lease) {
		return
	}
	// Each change counts like a renewal: who else writes it may hold it.
	v.slots[id] = &slotSeen{lease: lease, since: now}
}

// delete takes in that a Lease was deleted.
func (v *view) delete(lease *coordinationv1.Lease) {
	v.mu.Lock()
	defer v.mu.Unlock()
	defer v.notify()
	now := v.clock()
	switch lease.Labels[kindLabel] {
	case kindRoot:
		v.root = nil
	case kindMember:
		if known := v.members[lease.Name]; known != nil {
			v.leaves(holderOf(known.lease), now)
			delete(v.members, lease.Name)
		}
	case kindSlot:
		if id, ok := idOf(lease); ok {
			v.slots[id] = &slotSeen{lease: lease, absent: true, since: now}
		}
	}
}

// fill notes that all Leases are known.
func (v *view) fill() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.synced = true
	v.notify()
}

func (v *view) isSynced() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.synced
}

// missing returns the Leases that are known and not in a list.
func (v *view) missing(list []*coordinationv1.Lease) (gone []*coordinationv1.Lease) {
	listed := map[string]bool{}
	for _, lease := range list {
		listed[lease.Name] = true
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	note := func(lease *coordinationv1.Lease) {
		if lease != nil && !listed[lease.Name] {
			gone = append(gone, lease)
		}
	}
	note(v.root)
	for _, m := range v.members {
		note(m.lease)
	}
	for _, seen := range v.slots {
		if !seen.absent {
			note(seen.lease)
		}
	}
	return gone
}

// live returns the identities of the memberships that are not over, of the replicas that divide the keys in a
// way, in order.
func (v *view) live(division string) (identities []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.clock()
	for _, m := range v.members {
		if h := holderOf(m.lease); h.identity != "" && h.process != "" && now < v.expiry(m) &&
			m.lease.Annotations[divisionAnnotation] == division {
			identities = append(identities, h.identity)
		}
	}
	slices.Sort(identities)
	return slices.Compact(identities)
}

// expiry is when a membership is over unless it is renewed.
func (v *view) expiry(m *member) time.Duration {
	return m.since + max(v.duration, election.DurationOf(m.lease))
}

// expired returns the Leases of memberships that were not renewed in time, and when the next one will not
// have been. own is left out.
func (v *view) expired(own holder) (over []*coordinationv1.Lease, next time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.clock()
	for _, m := range v.members {
		h := holderOf(m.lease)
		if h == own || h == (holder{}) {
			continue
		}
		if at := v.expiry(m); at <= now {
			over = append(over, m.lease)
		} else {
			next = sooner(next, at)
		}
	}
	return over, next
}

// sooner returns the sooner of two moments; zero is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// isOver reports whether a membership is over, or when that can be said at the earliest; zero if its own
// Lease will say it. since is when this replica first saw a Lease that h holds, and duration is that Lease's.
func (v *view) isOver(h holder, since, duration time.Duration) (over bool, at time.Duration) {
	for _, m := range v.members {
		switch {
		case h.process == "": // it is no membership
		case holderOf(m.lease) == h:
			// When it is not renewed, its Lease will say so. It may say so already, from before h took it again.
			return false, 0
		case m.lease.Annotations[election.EndedAnnotation] == h.process:
			return true, 0
		}
	}
	if gone, known := v.gone[h]; known {
		since = gone
	}
	at = since + max(v.duration, duration)
	return v.clock() >= at, at
}

// free returns the Lease of a slot if it may be taken, or when that may be at the earliest; zero if a
// change will tell.
func (v *view) free(id slotID) (lease *coordinationv1.Lease, absent bool, at time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	seen := v.slots[id]
	if seen == nil {
		// Who divides the keys makes the Leases first, so somebody has deleted it.
		seen = &slotSeen{lease: v.blank(id), absent: true, since: v.clock()}
		v.slots[id] = seen
	}
	h := holderOf(seen.lease)
	switch {
	case h == retired():
		if seen.absent {
			return seen.lease, true, 0 // to be retired again: nobody has had it since
		}
		return nil, false, 0
	case isGivenBack(seen.lease) && !seen.absent:
		return seen.lease, false, 0
	}
	over, at := v.isOver(h, seen.since, election.DurationOf(seen.lease))
	if seen.absent {
		// Its holder, whoever that was, may not know yet.
		at = seen.since + max(v.duration, election.DurationOf(seen.lease))
		over = v.clock() >= at
	}
	if !over {
		return nil, false, at
	}
	return seen.lease, seen.absent, 0
}

// rootLease returns the root as it was last seen, or nil.
func (v *view) rootLease() *coordinationv1.Lease {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.root
}

// newestEpoch returns the newest epoch of which there are slots that are not retired, and how it divides the
// keys. If there is none, open is false, and epoch the first that may be used.
func (v *view) newestEpoch() (epoch int, division string, open bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	unused := 0
	for id, seen := range v.slots {
		switch {
		case seen.absent:
		case holderOf(seen.lease) == retired():
			unused = max(unused, id.epoch+1)
		case !open || id.epoch > epoch:
			epoch = id.epoch
			division = seen.lease.Annotations[divisionAnnotation]
			open = true
		}
	}
	if !open {
		return unused, "", false
	}
	return epoch, division, true
}

// hasRetired reports whether a slot of an epoch is retired.
func (v *view) hasRetired(epoch int) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for id, seen := range v.slots {
		if id.epoch == epoch && holderOf(seen.lease) == retired() {
			return true
		}
	}
	return false
}

// leaderIsGone reports whether nobody holds a Lease of leader election, or it was not renewed for its whole
// duration since it was first seen in this state.
func (v *view) leaderIsGone(lease *coordinationv1.Lease) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.clock()
	if v.leader == nil || isNewer(lease, v.leader.lease) {
		v.leader = &member{lease: lease, since: now}
	}
	return holderOf(lease) == (holder{}) || now >= v.expiry(v.leader)
}

// slot returns the Lease of a slot as it was last seen.
func (v *view) slot(id slotID) (lease *coordinationv1.Lease, absent bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if seen := v.slots[id]; seen != nil {
		return seen.lease, seen.absent
	}
	return nil, false
}

// heldBy returns the Leases of slots that name a holder.
func (v *view) heldBy(h holder) (leases []*coordinationv1.Lease) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, seen := range v.slots {
		if !seen.absent && holderOf(seen.lease) == h {
			leases = append(leases, seen.lease)
		}
	}
	return leases
}

// useless returns the Leases that say nothing any more. The memberships among them have ended long enough ago
// for all to know.
func (v *view) useless(epoch int) (leases []*coordinationv1.Lease) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, m := range v.members {
		if holderOf(m.lease) == (holder{}) && v.clock() >= m.since+v.duration {
			leases = append(leases, m.lease)
		}
	}
	for id, seen := range v.slots {
		if id.epoch < epoch && !seen.absent {
			leases = append(leases, seen.lease)
		}
	}
	return leases
}

// forgetGone forgets what is known of memberships that no slot names.
func (v *view) forgetGone() {
	v.mu.Lock()
	defer v.mu.Unlock()
	named := map[holder]bool{}
	for _, seen := range v.slots {
		named[holderOf(seen.lease)] = true
	}
	for h := range v.gone {
		if !named[h] {
			delete(v.gone, h)
		}
	}
	for id, seen := range v.slots {
		if seen.absent && v.root != nil && id.epoch < numberIn(v.root, epochAnnotation) {
			delete(v.slots, id)
		}
	}
}

// idOf returns which slot a Lease is for.
func idOf(lease *coordinationv1.Lease) (id slotID, ok bool) {
	slot, err := strconv.Atoi(lease.Labels[slotLabel])
	if err != nil {
		return slotID{}, false
	}
	epoch := numberIn(lease, epochAnnotation)
	return slotID{epoch, slot}, epoch >= 0
}

// isNewer reports whether a is a newer state than b, or of another Lease of that name.
func isNewer(a, b *coordinationv1.Lease) bool {
	if a.UID != b.UID {
		return true
	}
	order, err := resourceversion.CompareResourceVersion(a.ResourceVersion, b.ResourceVersion)
	return err == nil && order > 0
}
