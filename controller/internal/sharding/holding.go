// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"context"
	"fmt"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// holding is the slots that this replica takes, serves and gives up.
type holding struct {
	*writer
	table *Table
	moves sync.WaitGroup // the slots that are being given up

	mu     sync.Mutex
	moving map[int]bool // the slots that are being given up
}

// taking is a slot to be taken, or one that this membership holds without serving it.
type taking struct {
	number int
	lease  *coordinationv1.Lease
	absent bool
	keep   bool // false: it is given back
}

func (h *holding) take(ctx context.Context, m *membership, t taking) error {
	if err := m.check(); err != nil {
		return err
	}
	if !t.keep {
		return h.write(ctx, emptied(t.lease))
	}
	// Also a Lease that this membership holds already is written: it may have been given back by a write of
	// which the answer was lost, and another may have it.
	write := h.update
	if t.absent {
		write = h.create
	}
	held, err := write(ctx, m.holder.take(t.lease, h.config.LeaseDuration))
	if err != nil {
		return err
	}
	h.begin(ctx, m, held)
	return nil
}

// begin serves a slot whose Lease this membership holds.
func (h *holding) begin(ctx context.Context, m *membership, held *coordinationv1.Lease) {
	id, _ := idOf(held)
	slot := newSlot(id)
	slot.Term = m.part(ctx, held, func(err error) {
		slot.giveUp(err)
		h.view.notify()
	})
	h.table.slots[slot.Number].Store(slot)
	if slot.Term.Check() == nil {
		// What the watch has shown meanwhile came before the slot could be ended by it.
		if known, absent := h.view.slot(id); known != nil && (absent || holderOf(known) != m.holder) && isNewer(known, held) {
			h.endSlot(slot, known, absent)
		}
	}
	klog.FromContext(ctx).V(1).Info("Serving a slot", "slot", slot.Number, "lease", held.Name)
	h.config.Gained(ctx, slot)
}

func (h *holding) seenSlot(m *membership, lease *coordinationv1.Lease, deleted bool) {
	id, ok := idOf(lease)
	if !ok || id.slot < 0 || id.slot >= len(h.table.slots) {
		return
	}
	slot := h.table.slots[id.slot].Load()
	if slot == nil || slot.Term.Term.Lease.Name != lease.Name || slot.Term.After(lease.ResourceVersion) {
		return
	}
	if deleted || holderOf(lease) != m.holder {
		h.endSlot(slot, lease, deleted)
	}
}

func (h *holding) endSlot(slot *Slot, lease *coordinationv1.Lease, deleted bool) {
	now := holderOf(lease)
	switch {
	case deleted:
		slot.Term.End(cause.TermDeleted, "")
	case now.identity == "":
		slot.Term.End(cause.TermReleased, "")
	default:
		slot.Term.End(cause.TermTaken, now.identity)
	}
}

func (h *holding) isMoving(number int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.moving[number]
}

func (h *holding) setMoving(number int, moves bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if moves {
		h.moving[number] = true
	} else {
		delete(h.moving, number)
	}
}

// giveUp ends the work of a slot, waits for it on a goroutine, and gives the Lease back.
func (h *holding) giveUp(ctx context.Context, slot *Slot, why error) {
	if slot == nil || h.isMoving(slot.Number) {
		return
	}
	h.setMoving(slot.Number, true)
	h.table.slots[slot.Number].CompareAndSwap(slot, nil)
	slot.giveUp(why)
	h.moves.Go(func() {
		defer h.view.notify()
		defer h.config.moved()
		defer h.setMoving(slot.Number, false)
		h.await(ctx, slot, why)
		lost := slot.Term.Err() != nil
		slot.Term.End(cause.TermResigned, "")
		h.config.Gone(ctx, slot)
		end := slot.Ending()
		klog.FromContext(ctx).V(1).Info("Not serving a slot any more",
			"slot", slot.Number, "cause", end.Why, "inFlight", end.Users, "took", end.Took.String())
		if !lost && ctx.Err() == nil { // at the end all are given back together
			h.giveBack(ctx, slot)
		}
	})
}

// await waits until nobody uses a slot. This replica must not go on if its work does not return.
func (h *holding) await(ctx context.Context, slot *Slot, why error) {
	limit := time.NewTimer(h.config.ShutdownTimeout)
	defer limit.Stop()
	select { //ctxvet:ok ctxblock: the work may have time to finish after the end of ctx
	case <-slot.idle:
		return
	case <-limit.C:
	}
	if ctx.Err() == nil {
		h.config.Fail(fmt.Errorf("slot %d cannot be given up (%w), because work in it does not return within %v",
			slot.Number, why, h.config.ShutdownTimeout))
	}
	<-slot.idle // the manager waits for this goroutine, with a limit of its own
}

func (h *holding) giveBack(ctx context.Context, slot *Slot) {
	held, absent := h.view.slot(slot.id)
	if held == nil || absent {
		return
	}
	if err := h.write(ctx, emptied(held)); err != nil && ctx.Err() == nil && !isRace(err) {
		klog.FromContext(ctx).Error(err, "A slot was not given back, trying again", "slot", slot.Number)
	}
}
