// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

func TestC31AReplicaNeedsASlotUntilItsWorkHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		var moved atomic.Int32
		var keeper atomic.Pointer[Keeper]
		a := s.start("a", func(config *Config) {
			config.Moved = func() {
				moved.Add(1)
				k := keeper.Load()
				for number := range slots {
					if k != nil && k.table.slots[number].Load() != nil && !k.Needs(number) {
						t.Errorf("it serves slot %d and does not need it", number)
					}
				}
			}
		})
		keeper.Store(a.keeper)
		time.Sleep(2 * time.Second)
		var busy, idle *Slot // two that go to the other
		for number, owner := range ownersOf(slots, []string{"a", "b"}) {
			if slot := a.keeper.table.slots[number].Load(); owner == "b" {
				idle, busy = busy, slot
			}
		}
		if busy == nil || idle == nil || !busy.Enter() {
			t.Fatal("no slots are served that will move")
		}
		before := moved.Load()
		b := s.start("b", nil)
		time.Sleep(2 * time.Second)
		if !a.keeper.Needs(busy.Number) || a.keeper.Needs(idle.Number) || b.keeper.table.slots[busy.Number].Load() != nil {
			t.Errorf("while its work goes on: is needed: %v; without work: %v", a.keeper.Needs(busy.Number), a.keeper.Needs(idle.Number))
		}
		if moved.Load() == before {
			t.Error("it has not told that it needs others")
		}
		before = moved.Load()
		busy.Leave()
		time.Sleep(roundTrips)
		if a.keeper.Needs(busy.Number) || moved.Load() == before {
			t.Errorf("its work has returned, and it needs the slot: %v; it has told that: %v", a.keeper.Needs(busy.Number), moved.Load() > before)
		}
		if b.keeper.table.slots[busy.Number].Load() == nil {
			t.Error("the other does not serve the slot")
		}
		endAll(a, b)
	})
}

func TestC31AReplicaEndsWhenTheWorkOfItsSlotsHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		r := s.start("a", func(config *Config) { config.ShutdownTimeout = duration }) // the manager's limit, which is not this one's
		time.Sleep(2 * time.Second)
		slot, whole := r.keeper.table.slots[3].Load(), r.keeper.membership().term()
		if !slot.Enter() {
			t.Fatal("slot 3 is not served")
		}
		r.end()
		time.Sleep(2 * duration)
		synctest.Wait()
		select {
		case <-r.done:
			t.Error("it has ended while work goes on")
		default:
		}
		if lease, err := s.server.get(slot.Term.Term.Lease.Name); err != nil || holderOf(lease).identity != "a" {
			t.Errorf("the Lease of the slot in which work goes on: %v, %v", lease, err)
		}
		slot.Leave()
		<-r.done
		if lease, err := s.server.get(slot.Term.Term.Lease.Name); err != nil || !isGivenBack(lease) {
			t.Errorf("the Lease of the slot is not given back: %v, %v", lease, err)
		}
		var ended *cause.TermEnded
		if err := whole.Err(); !errors.As(err, &ended) || ended.How != cause.TermResigned {
			t.Errorf("the term of the membership has ended with %v", err)
		}
		if r.err != nil || r.keeper.Warm() {
			t.Errorf("it has ended with %v; it is ready to work: %v", r.err, r.keeper.Warm())
		}
	})
}

func TestC31AMembershipIsOverWhenTheWorkOfItsSlotsHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		var over []*term.Term
		r := s.start("a", func(config *Config) { config.Over = func(whole *term.Term) { over = append(over, whole) } })
		time.Sleep(2 * time.Second)
		slot, whole := r.keeper.table.slots[3].Load(), r.keeper.membership().term()
		if !slot.Enter() {
			t.Fatal("slot 3 is not served")
		}
		r.network.cut(true)
		time.Sleep(2 * duration)
		if whole.Err() == nil || len(over) != 0 {
			t.Errorf("its membership has ended with %v; it is over %d times while work goes on", whole.Err(), len(over))
		}
		slot.Leave()
		synctest.Wait()
		if !slices.Equal(over, []*term.Term{whole}) {
			t.Errorf("its membership is over %d times when all work has returned", len(over))
		}
		r.network.cut(false)
		time.Sleep(bound)
		if n := valid(r); n != slots || len(over) != 1 {
			t.Errorf("%d slots are served, and memberships are over %d times", n, len(over))
		}
		endAll(r)
	})
}

func TestC31AReplicaThatEndsBeforeItIsReadyEndsWithoutAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		r := s.start("a", func(config *Config) {
			config.Warm = func(ctx context.Context) error {
				<-ctx.Done()
				return context.Cause(ctx)
			}
		})
		time.Sleep(time.Second)
		endAll(r)
		if r.err != nil {
			t.Errorf("it has ended with %v", r.err)
		}
	})
}

// What a share needs is prepared as soon as the share is known, which it is not while the keys are divided in another way.
func TestC31TheShareIsPreparedWhenAllLeasesAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		var prepared atomic.Int32
		prepare := func(config *Config) {
			config.Prepare = func(context.Context) { prepared.Add(1) }
		}
		a := s.start("a", prepare)
		time.Sleep(roundTrips)
		if n := prepared.Load(); n != 1 || valid(a) != slots {
			t.Errorf("%d shares are prepared, and %d slots are served %v after the start", n, valid(a), roundTrips)
		}
		other := s.start("other", func(config *Config) {
			prepare(config)
			halved(config)
		})
		time.Sleep(2 * duration)
		if n := prepared.Load(); n != 1 {
			t.Errorf("%d shares are prepared, also one of another division", n)
		}
		endAll(other, a)
	})
}
