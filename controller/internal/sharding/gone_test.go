// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/utils/ptr"
)

// A replica that is cut off has its slots for the whole duration of its own Lease, whatever its Leases look like to
// others, and whatever their own durations are.
func TestC31TheSlotsOfAReplicaThatIsCutOffAreLeftAloneForTheDurationOfItsLease(t *testing.T) {
	const longer = 3 * duration
	member := func(change func(*coordinationv1.Lease)) func(*server, *replica) {
		return func(s *server, b *replica) { s.edit(b.keeper.config.names().member("b"), change) }
	}
	deleteAll := func(s *server, b *replica) {
		_ = s.remove(b.keeper.config.names().member("b"), nil)
		for _, number := range b.keeper.table.Held() {
			_ = s.remove(b.keeper.config.names().slot(0, number), nil)
		}
	}
	for name, change := range map[string]func(s *server, b *replica){
		"nothing is changed":            func(*server, *replica) {},
		"its membership is deleted":     func(s *server, b *replica) { _ = s.remove(b.keeper.config.names().member("b"), nil) },
		"its membership is emptied":     member(func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("") }),
		"a stranger has its membership": member(func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("stranger") }),
		"all its Leases are deleted":    deleteAll,
		"all its Leases and the root are deleted": func(s *server, b *replica) {
			deleteAll(s, b)
			_ = s.remove("set", nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSchedule(t, 1)
				a := s.start("a", nil)
				b := s.start("b", func(config *Config) {
					config.LeaseDuration, config.RenewDeadline = longer, longer-duration
				})
				stop := again(s.check)
				time.Sleep(2 * longer)
				if valid(a) == 0 || valid(b) == 0 || served(a, b) != slots {
					t.Fatalf("%d and %d slots are served", valid(a), valid(b))
				}
				b.network.cut(true)
				change(s.server, b)
				time.Sleep(longer + bound)
				if n := valid(a); n != slots {
					t.Errorf("%d slots are served when the other must know that its membership is over", n)
				}
				stop()
				if len(s.faults) > 0 {
					t.Error(s.faults[0])
				}
				b.kill()
				endAll(a)
				<-b.done
			})
		})
	}
}

// Whether a replica looks at the Leases then for another reason does not matter.
func TestC31TheSlotsOfAReplicaThatIsGoneAreTakenWhenItsLeaseExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		seldom := func(config *Config) { config.RetryPeriod = 1500 * time.Millisecond }
		a := s.start("a", seldom)
		time.Sleep(2*duration + 800*time.Millisecond) // so that its own renewals come at other times
		b := s.start("b", seldom)
		time.Sleep(2 * duration)
		gone, err := s.server.get(b.keeper.config.names().member("b"))
		if err != nil || valid(b) == 0 {
			t.Fatalf("it serves %d slots; its Lease: %v", valid(b), err)
		}
		b.kill()
		time.Sleep(time.Until(gone.Spec.RenewTime.Add(duration + duration/50))) // clocks differ by this much
		time.Sleep(roundTrips)
		if n := valid(a); n != slots {
			t.Errorf("%d slots are served %v after the Lease has expired", n, roundTrips)
		}
		endAll(a)
		<-b.done
	})
}

// Who holds slots of a replica that has ended reads in its Lease that it has.
func TestC31TheLeaseOfAReplicaThatHasEndedIsDeletedAfterItsDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		a, b, c := s.start("a", nil), s.start("b", nil), s.start("c", nil)
		time.Sleep(2 * duration)
		endAll(b)
		time.Sleep(duration - duration/50 - 100*time.Millisecond)
		if left := s.server.names(kindMember); len(left) != 3 {
			t.Errorf("before its duration is over, these memberships have Leases: %v", left)
		}
		time.Sleep(time.Second)
		if left := s.server.names(kindMember); len(left) != 2 {
			t.Errorf("after its duration these memberships have Leases: %v", left)
		}
		time.Sleep(2 * duration) // until the other looks at the Leases again
		a.keeper.view.mu.Lock()
		if left := len(a.keeper.view.gone); left != 0 {
			t.Errorf("the other remembers %d memberships that are over", left)
		}
		a.keeper.view.mu.Unlock()
		endAll(a, c)
	})
}

// A Lease that somebody has emptied may be taken when its last holder must know that, whether a replica looks at the
// Leases then for another reason or not.
func TestC31ASlotThatSomebodyEmptiesIsServedAgainAfterTheDurationOfItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		a := s.start("a", func(config *Config) { config.RetryPeriod = 1500 * time.Millisecond })
		time.Sleep(2*duration + 800*time.Millisecond) // so that its own renewals come at other times
		s.server.edit(a.keeper.config.names().slot(0, 3), func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("") })
		time.Sleep(duration - duration/50)
		if n := valid(a); n != slots-1 {
			t.Errorf("%d slots are served before the duration of the Lease is over", n)
		}
		time.Sleep(duration/25 + roundTrips)
		if n := valid(a); n != slots {
			t.Errorf("%d slots are served %v after the duration of the Lease is over", n, roundTrips)
		}
		endAll(a)
	})
}
