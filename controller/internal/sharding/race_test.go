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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/election"
)

// overtaken is a client of Leases whose first write of one of them is answered late, when the watch has shown that
// a stranger has taken the Lease since.
type overtaken struct {
	coordinationv1client.LeasesGetter
	server *server
	name   string
	times  atomic.Int32
}

func (o *overtaken) Leases(namespace string) coordinationv1client.LeaseInterface {
	return overtakenLeases{o.LeasesGetter.Leases(namespace), o}
}

type overtakenLeases struct {
	coordinationv1client.LeaseInterface
	*overtaken
}

func (l overtakenLeases) Update(ctx context.Context, lease *coordinationv1.Lease, o metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	written, err := l.LeaseInterface.Update(ctx, lease, o)
	if lease.Name == l.name && err == nil && l.times.Add(1) == 1 {
		l.server.edit(l.name, func(lease *coordinationv1.Lease) { lease.Spec.HolderIdentity = ptr.To("stranger") })
		time.Sleep(100 * time.Millisecond)
	}
	return written, err
}

func TestC31ASlotThatIsLostBeforeItsLeaseIsAnsweredIsNotServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		var client *overtaken
		r := s.start("a", func(config *Config) {
			client = &overtaken{LeasesGetter: config.Client, server: s.server, name: config.names().slot(0, 3)}
			config.Client = client
		})
		time.Sleep(time.Second)
		if n := valid(r); n != slots-1 || client.times.Load() != 1 {
			t.Errorf("%d slots are served, of which a stranger has one; that was written %d times", n, client.times.Load())
		}
		endAll(r)
	})
}

// overdue is a client of Leases during whose first write of a slot the membership ends. It counts the slots that this
// membership writes.
type overdue struct {
	coordinationv1client.LeasesGetter
	keeper chan *Keeper

	mu    sync.Mutex
	ended *holder
	slots int
}

func (o *overdue) Leases(namespace string) coordinationv1client.LeaseInterface {
	return overdueLeases{o.LeasesGetter.Leases(namespace), o}
}

type overdueLeases struct {
	coordinationv1client.LeaseInterface
	*overdue
}

func (l overdueLeases) Update(ctx context.Context, lease *coordinationv1.Lease, o metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	if by := holderOf(lease); lease.Labels[kindLabel] == kindSlot && by.identity == "a" && l.isFirst(by) {
		(<-l.keeper).membership().end(cause.TermExpired, "")
	}
	return l.LeaseInterface.Update(ctx, lease, o)
}

// isFirst counts a write of a slot, and reports whether it is the first.
func (o *overdue) isFirst(by holder) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	first := o.ended == nil
	if first {
		o.ended = &by
	}
	if by == *o.ended {
		o.slots++
	}
	return first
}

func TestC31AMembershipThatHasEndedTakesNoFurtherSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		client := &overdue{keeper: make(chan *Keeper, 1)}
		r := s.start("a", func(config *Config) {
			client.LeasesGetter = config.Client
			config.Client = client
		})
		client.keeper <- r.keeper
		time.Sleep(bound)
		if n := valid(r); n != slots {
			t.Errorf("%d slots are served by the next membership", n)
		}
		endAll(r)
		if client.slots < 1 || client.slots > atOnce {
			t.Errorf("%d slots were written for the membership that had ended, %d at a time", client.slots, atOnce)
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
			client = &unwritable{LeasesGetter: config.Client, name: config.names().slot(0, moving)}
			client.healed.Store(true)
			config.Client = client
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
