// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/election"
	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// releaseTimeout bounds what is written at the end. Without it others wait until the Leases expire.
const releaseTimeout = 5 * time.Second

// Keeper keeps this replica's share of the slots. It is a [lifecycle.Lease].
type Keeper struct {
	*writer
	divider   *divider
	holding   *holding
	followers *followers
	table     *Table
	watcher   *watcher
	warm      atomic.Bool
	wanted    atomic.Pointer[[]bool] // the slots that this replica is to have; nil: not known yet

	mu      sync.Mutex
	current *membership
	refused error // why this replica may not work beside the others
}

var _ lifecycle.Lease = (*Keeper)(nil)

// New makes a keeper, which does nothing yet.
func New(config Config) *Keeper {
	w := &writer{config: &config, view: newView(config.elapsed(), config.LeaseDuration, config.slotLease)}
	k := &Keeper{
		writer: w, divider: &divider{w}, followers: &followers{w, map[string]*election.Follower{}}, table: newTable(config.Slots),
	}
	k.holding = &holding{writer: w, table: k.table, moving: map[int]bool{}}
	k.watcher = &watcher{config: k.config, view: k.view, seen: k.seen}
	return k
}

// Table returns the slots that this replica serves.
func (k *Keeper) Table() *Table { return k.table }

// Needs reports whether this replica has a slot, is to have it, or has not finished its work in it yet.
func (k *Keeper) Needs(slot int) bool {
	wanted := k.wanted.Load()
	return wanted != nil && (*wanted)[slot] || k.table.slots[slot].Load() != nil || k.holding.isMoving(slot)
}

// want notes which slots this replica is to have. owners says which member each slot goes to.
func (k *Keeper) want(owners []string) {
	wanted := make([]bool, len(owners))
	for slot, owner := range owners {
		wanted[slot] = owner == k.config.Identity
	}
	if before := k.wanted.Swap(&wanted); before == nil || !slices.Equal(*before, wanted) {
		k.config.moved()
	}
}

// prepare lets what this replica's share will need be made ready, so that no slot that it takes waits for that.
func (k *Keeper) prepare(ctx context.Context) {
	if k.config.Prepare == nil {
		return
	}
	limit := time.NewTimer(k.config.LeaseDuration)
	defer limit.Stop()
	for !k.view.isSynced() {
		if k.watcher.forbidden.Load() != nil {
			return // that is told when slots are to be taken
		}
		select {
		case <-k.view.changed:
		case <-limit.C:
			return // why not is told when slots are to be taken
		case <-ctx.Done():
			return
		}
	}
	if root := k.view.rootLease(); root != nil && root.Annotations[divisionAnnotation] != k.config.division() {
		return
	}
	k.want(ownersOf(k.config.Slots, append(k.view.live(k.config.division()), k.config.Identity)))
	k.config.Prepare(ctx)
}

// Unit identifies the keeper in reports.
func (k *Keeper) Unit() *work.Unit {
	return &work.Unit{Kind: report.Leadership, Owner: k.config.Name.String()}
}

// Warm reports whether the work could start at once.
func (k *Keeper) Warm() bool { return k.warm.Load() }

// Refused returns why this replica may not work beside the others, or nil.
func (k *Keeper) Refused() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.refused
}

func (k *Keeper) setRefused(err error) (changed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	changed = (err == nil) != (k.refused == nil)
	k.refused = err
	return changed
}

// Run takes part, membership after membership, until ctx ends. When it returns, nothing needs a slot any
// more; the Leases are still held, because their release has a place of its own in the order of the end.
func (k *Keeper) Run(ctx context.Context) error {
	if err := k.config.Warm(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	k.warm.Store(true)
	defer k.warm.Store(false)
	for ctx.Err() == nil {
		k.prepare(ctx)
		m := newMembership(ctx, k.config, k.view.notify)
		k.setCurrent(m)
		renewal, err := m.candidate.Campaign(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		m.renewal = renewal
		if err := k.serve(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) setCurrent(m *membership) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current = m
}

func (k *Keeper) membership() *membership {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current
}

// serve takes and gives up slots until the membership is over or ctx ends, and returns when all work of
// the slots has.
func (k *Keeper) serve(ctx context.Context, m *membership) error {
	klog.FromContext(ctx).Info("Sharing the work", "leases", k.config.Name.String(), "identity", m.holder.identity)
	timer := time.NewTimer(0)
	defer timer.Stop()
	defer k.followers.end()
	var failed error
	for failed == nil && ctx.Err() == nil && m.check() == nil {
		select {
		case <-ctx.Done():
			continue
		case <-m.renewal.Term.Context().Done():
			continue
		case <-k.view.changed:
		case <-timer.C:
		}
		var again time.Duration
		again, failed = k.step(ctx, m)
		timer.Reset(again)
	}
	why := cmp.Or(context.Cause(ctx), m.check(), failed)
	if ctx.Err() == nil {
		m.end(cause.TermExpired, why.Error()) // unless it has ended already
		klog.FromContext(ctx).Info("Not sharing the work any more", "leases", k.config.Name.String(), "cause", why)
	}
	k.giveUpAll(ctx, why)
	k.holding.moves.Wait()
	if ctx.Err() != nil {
		return nil
	}
	if whole := m.term(); whole != nil {
		k.config.Over(whole)
	}
	k.Release(ctx)
	return failed
}

// giveUpAll ends all slots and waits until their work has returned.
func (k *Keeper) giveUpAll(ctx context.Context, why error) {
	for _, number := range k.table.Held() {
		k.holding.giveUp(ctx, k.table.slots[number].Load(), why)
	}
}

// step looks at the Leases and does what they ask for. It returns after which time to look again.
func (k *Keeper) step(ctx context.Context, m *membership) (again time.Duration, err error) {
	if !k.view.isSynced() {
		if forbidden := k.watcher.forbidden.Load(); forbidden != nil {
			return 0, fmt.Errorf("the Leases of %s cannot be listed, which sharing the work needs (grant list and watch "+
				"on leases in the namespace): %w", k.config.Name, *forbidden)
		}
		return k.config.RetryPeriod, nil
	}
	k.followers.follow(ctx, m)
	next := k.bury(ctx, m)
	if m.term() == nil {
		return k.until(next), nil // the watch has not shown the membership yet
	}
	epoch, err := k.divider.divide(ctx)
	if err != nil {
		k.tellRefused(ctx, err)
		k.giveUpAll(ctx, cause.ShardLost.With(err))
		return k.config.RetryPeriod, nil
	}
	k.setRefused(nil)
	at := k.share(ctx, m, epoch)
	next = sooner(next, at)
	k.sweep(ctx, m, epoch)
	return k.until(next), nil
}

// tellRefused tells why this replica may not work. That the Leases are being made is told to nobody.
func (k *Keeper) tellRefused(ctx context.Context, err error) {
	if refused := (*refusedError)(nil); errors.As(err, &refused) {
		if k.setRefused(err) {
			klog.FromContext(ctx).Error(err, "This replica does not work beside the others", "leases", k.config.Name.String())
		}
		return
	}
	if !errors.Is(err, soonError{}) && !isRace(err) && ctx.Err() == nil {
		klog.FromContext(ctx).Error(err, "The keys were not divided, trying again", "leases", k.config.Name.String())
	}
}

// until returns how long it is to a moment by the clock; zero for none.
func (k *Keeper) until(at time.Duration) time.Duration {
	if at == 0 {
		return k.config.LeaseDuration
	}
	return max(time.Millisecond, min(at-k.view.clock(), k.config.LeaseDuration))
}

// bury says in the Leases of memberships that were not renewed, or whose processes have ended, that they are over.
// It returns when the next one will be.
func (k *Keeper) bury(ctx context.Context, m *membership) (next time.Duration) {
	over, how := k.followers.ended(m.holder)
	expired, next := k.view.expired(m.holder)
	for _, lease := range expired {
		over, how = append(over, lease), append(how, "its Lease has expired")
	}
	for i, lease := range over {
		if m.check() != nil {
			break
		}
		if k.write(ctx, emptied(lease)) != nil { // it was renewed after all, or the API server is away
			next = k.view.clock() + k.config.RetryPeriod
		} else {
			klog.FromContext(ctx).Info("A replica is gone", "lease", lease.Name, "holder", holderOf(lease).identity, "how", how[i])
		}
	}
	return next
}

// share gives up the slots that others are to have, and takes those that this replica is to have and that
// are free. It returns when one will be free.
func (k *Keeper) share(ctx context.Context, m *membership, epoch int) (next time.Duration) {
	members := k.view.live(k.config.division())
	if !slices.Contains(members, m.holder.identity) {
		return 0 // somebody has changed the Lease: the elector finds out
	}
	owners := ownersOf(k.config.Slots, members)
	k.want(owners)
	var wanted []taking
	for number, owner := range owners {
		slot := k.table.slots[number].Load()
		id := slotID{epoch, number}
		switch {
		case slot != nil && (slot.Term.Check() != nil || owner != m.holder.identity):
			why := slot.Term.Err()
			if why == nil {
				why = cause.ShardLost.With(fmt.Errorf("slot %d moves to %s", number, owner))
			}
			k.holding.giveUp(ctx, slot, why)
		case slot != nil || k.holding.isMoving(number):
		default:
			lease, absent, at := k.view.free(id)
			held, gone := k.view.slot(id)
			switch {
			case held != nil && !gone && holderOf(held) == m.holder:
				wanted = append(wanted, taking{number, held, false, owner == m.holder.identity})
			case lease != nil && owner == m.holder.identity:
				wanted = append(wanted, taking{number, lease, absent, true})
			case owner == m.holder.identity:
				next = sooner(next, at)
			}
		}
	}
	if k.takeAll(ctx, m, wanted) {
		next = k.view.clock() + k.config.RetryPeriod
	}
	return next
}

// sweep deletes Leases that say nothing any more: those of replicas that have ended, and the slots of former
// divisions. One replica does it.
func (k *Keeper) sweep(ctx context.Context, m *membership, epoch int) {
	k.view.forgetGone()
	if members := k.view.live(k.config.division()); len(members) == 0 || members[0] != m.holder.identity {
		return
	}
	_ = inParallel(k.view.useless(epoch), func(lease *coordinationv1.Lease) error {
		return k.remove(ctx, lease) // it is tried again at the next step
	})
}

// takeAll takes slots. It reports whether some are to be tried again.
func (k *Keeper) takeAll(ctx context.Context, m *membership, wanted []taking) (again bool) {
	return inParallel(wanted, func(t taking) error {
		err := k.holding.take(ctx, m, t)
		if err != nil && ctx.Err() == nil && !isRace(err) {
			klog.FromContext(ctx).Error(err, "A slot was not taken, trying again", "slot", t.number)
		}
		return err
	}) != nil
}

// seen is told what the watch shows, in order.
func (k *Keeper) seen(lease *coordinationv1.Lease, deleted bool) {
	m := k.membership()
	switch {
	case m == nil:
	case lease.Name == m.lease:
		if deleted {
			m.candidate.WatchedDeleted(lease)
		} else {
			m.watched(lease)
		}
	default:
		k.holding.seenSlot(m, lease, deleted)
	}
}

// Release gives back all slots and the membership. Nothing that needs them may run. ctx may have ended.
func (k *Keeper) Release(ctx context.Context) {
	m := k.membership()
	if m == nil {
		return
	}
	k.setCurrent(nil)
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), releaseTimeout,
		cause.CallTimeout.With(fmt.Errorf("the release of the leases has %v", releaseTimeout)))
	defer cancel()
	errs := []error{inParallel(k.view.heldBy(m.holder), func(lease *coordinationv1.Lease) error {
		if err := k.write(ctx, emptied(lease)); !isRace(err) {
			return err
		}
		return nil
	})}
	m.end(cause.TermResigned, "")
	if m.renewal == nil {
		errs = append(errs, m.candidate.Release(ctx))
	} else {
		errs = append(errs, m.renewal.Release(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		klog.FromContext(ctx).Error(err, "Not all leases were released")
	}
}

// Abandon leaves the Leases as they are, for others to wait until the membership expires.
func (k *Keeper) Abandon() {
	m := k.membership()
	if m == nil {
		return
	}
	k.setCurrent(nil)
	m.end(cause.TermResigned, "")
	if m.renewal != nil {
		m.renewal.Abandon()
	}
}

// Watcher returns the runner that watches the Leases.
func (k *Keeper) Watcher() lifecycle.Runner { return watching{k} }

type watching struct{ *Keeper }

func (w watching) Unit() *work.Unit {
	return &work.Unit{Kind: report.Informer, Owner: "leases " + w.config.Name.String()}
}

func (w watching) Run(ctx context.Context) error {
	w.watcher.run(ctx)
	return nil
}
