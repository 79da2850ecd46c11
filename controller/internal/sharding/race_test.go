// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/election"
)

// The first write of a slot is answered late, when the watch has shown that a stranger has taken its Lease since.
func TestC31ASlotThatIsLostBeforeItsLeaseIsAnsweredIsNotServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		var times atomic.Int32
		r := s.start("a", func(config *Config) {
			name := config.names().slot(0, 3)
			config.Client = &hooked{LeasesGetter: config.Client, update: func(
				lease *coordinationv1.Lease, write func() (*coordinationv1.Lease, error),
			) (*coordinationv1.Lease, error) {
				written, err := write()
				if lease.Name == name && err == nil && times.Add(1) == 1 {
					s.server.edit(name, func(lease *coordinationv1.Lease) { lease.Spec.HolderIdentity = ptr.To("stranger") })
					time.Sleep(100 * time.Millisecond)
				}
				return written, err
			}}
		})
		time.Sleep(time.Second)
		if n := valid(r); n != slots-1 || times.Load() != 1 {
			t.Errorf("%d slots are served, of which a stranger has one; that was written %d times", n, times.Load())
		}
		endAll(r)
	})
}

// The membership ends during its first write of a slot.
func TestC31AMembershipThatHasEndedTakesNoFurtherSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		keeper := make(chan *Keeper, 1)
		var writers []holder // of slots
		var mu sync.Mutex
		r := s.start("a", func(config *Config) {
			config.Client = &hooked{LeasesGetter: config.Client, update: func(
				lease *coordinationv1.Lease, write func() (*coordinationv1.Lease, error),
			) (*coordinationv1.Lease, error) {
				if by := holderOf(lease); lease.Labels[kindLabel] == kindSlot && by.identity == "a" {
					mu.Lock()
					writers = append(writers, by)
					first := len(writers) == 1
					mu.Unlock()
					if first {
						(<-keeper).membership().end(cause.TermExpired, "")
					}
				}
				return write()
			}}
		})
		keeper <- r.keeper
		time.Sleep(bound)
		if n := valid(r); n != slots {
			t.Errorf("%d slots are served by the next membership", n)
		}
		endAll(r)
		ended := 0
		for _, by := range writers {
			if by == writers[0] {
				ended++
			}
		}
		if ended < 1 || ended > atOnce {
			t.Errorf("%d slots were written for the membership that had ended, %d at a time", ended, atOnce)
		}
	})
}

// A slot that moves, and whose Lease cannot be given back at first, is not served by its last holder any more.
func TestC31ASlotThatCouldNotBeGivenBackIsGivenBackLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		moving := -1
		for number, owner := range ownersOf(slots, []string{"a", "b"}) {
			if owner == "b" {
				moving = number
			}
		}
		var gained atomic.Int32
		var client *unwritable
		a := s.start("a", func(config *Config) {
			client = &unwritable{name: config.names().slot(0, moving)}
			client.healed.Store(true)
			config.Client = client.client(config.Client)
			config.Gained = func(_ context.Context, slot *Slot) {
				if slot.Number == moving {
					gained.Add(1)
				}
			}
		})
		time.Sleep(2 * time.Second)
		client.healed.Store(false)
		b := s.start("b", nil)
		time.Sleep(2 * time.Second)
		if a.keeper.table.slots[moving].Load() != nil || b.keeper.table.slots[moving].Load() != nil {
			t.Error("a slot that moves, and was not given back, is served")
		}
		client.healed.Store(true)
		time.Sleep(a.keeper.config.RetryPeriod + roundTrips)
		if b.keeper.table.slots[moving].Load() == nil || gained.Load() != 1 {
			t.Errorf("the other serves the slot: %v; the first has taken it %d times",
				b.keeper.table.slots[moving].Load() != nil, gained.Load())
		}
		endAll(a, b)
	})
}

func TestC31AMembershipEndsAtOnceWhenItsLeaseIsLost(t *testing.T) {
	for name, change := range map[string]func(s *server, name string){
		"deleted": func(s *server, name string) { _ = s.remove(name, nil) },
		"taken": func(s *server, name string) {
			s.edit(name, func(lease *coordinationv1.Lease) { lease.Spec.HolderIdentity = ptr.To("stranger") })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSchedule(t, 1)
				r := s.start("a", func(config *Config) { config.RetryPeriod = 1500 * time.Millisecond })
				time.Sleep(2*duration + 800*time.Millisecond) // so that it does not renew soon
				if n := valid(r); n != slots {
					t.Fatalf("%d slots are served", n)
				}
				m := r.keeper.membership()
				m.mu.Lock()
				if n := len(m.sent); n > 1 {
					t.Errorf("it remembers %d renewals", n)
				}
				m.mu.Unlock()
				change(s.server, r.keeper.config.names().member("a"))
				time.Sleep(50 * time.Millisecond)
				if n := valid(r); n != 0 {
					t.Errorf("%d slots are served when its Lease is lost", n)
				}
				time.Sleep(bound)
				if n := valid(r); n != slots {
					t.Errorf("%d slots are served by its next membership", n)
				}
				endAll(r)
			})
		})
	}
}

// The view knows of a Lease before its membership does, so that what it tells then may be too early.
func TestC31AMembershipTellsWhenItsTermHasBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		r := s.start("a", nil)
		began := 0
		m := newMembership(t.Context(), r.keeper.config, func() { began++ })
		m.tell = func(*coordinationv1.Lease) {}
		lease := m.holder.take(r.keeper.config.names().newLease("ns", m.lease, kindMember), duration)
		for i, version := range []string{"1", "2"} {
			lease.ResourceVersion = version
			m.renewed(lease.DeepCopy(), 0)
			if m.term() != nil != (i > 0) || began != i {
				t.Errorf("when renewal %d is answered: the term is %v, and it was told %d times that it has begun", i, m.term(), began)
			}
			m.watched(lease.DeepCopy())
			if m.term() == nil || began != 1 {
				t.Errorf("when renewal %d is shown: the term is %v, and it was told %d times that it has begun", i, m.term(), began)
			}
		}
		m.end(cause.TermResigned, "")
		endAll(r)
	})
}

// A campaign goes on when others have said that it has ended, because the answer to its first write did not come:
// it takes its Lease again, which still says so.
func TestC31AMembershipThatIsTakenAgainAfterOthersHaveEndedItHasItsSlotsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		a := s.start("a", nil)
		time.Sleep(2 * time.Second)
		b := s.start("b", nil)
		own := b.keeper.config.names().member("b")
		for !slices.Contains(s.server.names(kindMember), own) {
			time.Sleep(time.Millisecond)
		}
		b.network.cut(true)
		time.Sleep(duration + time.Second)
		b.network.cut(false)
		time.Sleep(2 * duration)
		lease, err := s.server.get(own)
		if err != nil || lease.Annotations[election.EndedAnnotation] != holderOf(lease).process || valid(b) == 0 {
			t.Fatalf("it serves %d slots; its Lease: %v, %v", valid(b), lease, err)
		}
		b.network.set(s, time.Second, 1010*time.Millisecond, 0)
		stop := again(s.check)
		c := s.start("c", nil)
		time.Sleep(bound)
		stop()
		if len(s.faults) > 0 {
			t.Error(s.faults[0])
		}
		if valid(a) == 0 || valid(b) == 0 || valid(c) == 0 || served(a, b, c) != slots {
			t.Errorf("%d, %d and %d slots are served", valid(a), valid(b), valid(c))
		}
		endAll(a, b, c)
	})
}

func TestC31AMembershipThatIsAbandonedHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		r := s.start("a", nil)
		time.Sleep(2 * time.Second)
		whole := r.keeper.membership().term()
		r.kill()
		<-r.done
		var ended *cause.TermEnded
		if err := whole.Err(); !errors.As(err, &ended) || ended.How != cause.TermResigned {
			t.Errorf("it has ended with %v", err)
		}
	})
}
