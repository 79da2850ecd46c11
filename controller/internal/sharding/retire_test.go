// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// stuck returns a replica that divides the keys anew, and has retired all slots but one, whose Lease it cannot write.
func stuck(s *schedule) (anew *replica, client *unwritable) {
	s.former()
	anew = s.start("new", func(config *Config) {
		halved(config)
		client = &unwritable{name: config.names().slot(0, 3)}
		config.Client = client.client(config.Client)
	})
	time.Sleep(2 * time.Second)
	return anew, client
}

func TestC31AReplicaOfTheOldDivisionWaitsWhileItsSlotsAreRetired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		anew, client := stuck(s)
		late := s.start("late", nil)
		time.Sleep(bound)
		if valid(late) != 0 || late.keeper.Refused() == nil {
			t.Errorf("it serves %d slots, and is refused with %v", valid(late), late.keeper.Refused())
		}
		client.healed.Store(true)
		time.Sleep(bound)
		checkHalved(t, s, anew)
		endAll(anew, late)
	})
}

func TestC31TheLeaseOfARetiredSlotMayBeDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		anew, client := stuck(s)
		name := anew.keeper.config.names().slot(0, 5)
		if lease, err := s.server.get(name); err != nil || holderOf(lease) != retired() {
			t.Fatalf("the slot is not retired: %v, %v", lease, err)
		}
		_ = s.server.remove(name, nil)
		time.Sleep(roundTrips)
		// Otherwise a replica of the old division could take it.
		if lease, err := s.server.get(name); err != nil || holderOf(lease) != retired() {
			t.Errorf("the slot is not retired again: %v, %v", lease, err)
		}
		client.healed.Store(true)
		time.Sleep(bound)
		checkHalved(t, s, anew)
		endAll(anew)
	})
}

// When all slots are retired and the root is gone, nothing says that there were others than the retired ones.
func TestC31ARootThatIsDeletedWhenAllSlotsAreRetiredIsMadeForNewSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		s.former()
		var client *unwritable
		anew := s.start("new", func(config *Config) {
			halved(config)
			client = &unwritable{kind: kindSlot}
			config.Client = client.client(config.Client)
		})
		time.Sleep(2 * time.Second)
		if n := len(anew.keeper.view.heldBy(retired())); n != slots {
			t.Fatalf("%d slots are retired", n)
		}
		_ = s.server.remove("set", nil)
		time.Sleep(roundTrips)
		client.healed.Store(true)
		time.Sleep(bound)
		checkHalved(t, s, anew)
		endAll(anew)
	})
}

func TestC31ARootThatDoesNotSayHowManySlotsThereAreIsNotReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		s.former()
		s.server.edit("set", func(root *coordinationv1.Lease) { delete(root.Annotations, slotsAnnotation) })
		anew := s.start("new", halved)
		time.Sleep(bound)
		if err := anew.keeper.Refused(); valid(anew) != 0 || err == nil || !strings.Contains(err.Error(), "but not how") {
			t.Errorf("it serves %d slots, and is refused with %v", valid(anew), err)
		}
		endAll(anew)
	})
}

// A replica whose watch does not show the root yet may read it when it wants to make it.
func TestC31ARootThatAnotherHasJustMadeIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		late := s.start("late", func(config *Config) {
			halved(config)
			if n, ok := config.Client.(*network); ok {
				n.lag = func() time.Duration { return time.Second }
			}
		})
		time.Sleep(300 * time.Millisecond)
		a := s.start("a", nil)
		time.Sleep(bound)
		root, err := s.server.get("set")
		if err != nil || root.Annotations[divisionAnnotation] != a.keeper.config.division() || *root.Spec.LeaseTransitions != 1 {
			t.Errorf("the root is %v, %v", root, err)
		}
		if valid(a) != slots || valid(late) != 0 {
			t.Errorf("%d slots are served, and %d by a replica that divides the keys in another way", valid(a), valid(late))
		}
		endAll(a, late)
	})
}

// A Lease that has the name of a slot's may be another's.
func TestC31AForeignLeaseWithTheNameOfASlotStopsOnlyThatSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		foreign := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "set-slot-0-3"}}
		if _, err := s.server.create(foreign); err != nil {
			t.Fatal(err)
		}
		r := s.start("a", nil)
		time.Sleep(bound)
		if n := valid(r); n != slots-1 || r.keeper.table.slots[3].Load() != nil {
			t.Errorf("%d slots are served", n)
		}
		endAll(r)
	})
}

// The leader of a process that knows only leader election may have died.
func TestC31ALeaderWhoseLeaseExpiresIsReplacedAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		leader := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "set"}}
		leader.Spec.HolderIdentity, leader.Spec.LeaseDurationSeconds = ptr.To("leader"), ptr.To[int32](5)
		if _, err := s.server.create(leader); err != nil {
			t.Fatal(err)
		}
		r := s.start("a", nil)
		check := func(want int) {
			t.Helper()
			if n := valid(r); n != want || (r.keeper.Refused() == nil) != (want > 0) {
				t.Errorf("%d slots are served, not %d; it is refused with %v", n, want, r.keeper.Refused())
			}
		}
		for range 8 {
			time.Sleep(time.Second)
			s.server.edit("set", func(lease *coordinationv1.Lease) { lease.Spec.RenewTime = ptr.To(metav1.NowMicro()) })
			check(0)
		}
		time.Sleep(4900 * time.Millisecond)
		check(0)
		time.Sleep(r.keeper.config.RetryPeriod + roundTrips)
		check(slots)
		endAll(r)
	})
}
