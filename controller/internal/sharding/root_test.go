// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// halved lets a replica divide the keys into half as many slots.
func halved(config *Config) { config.Slots = slots / 2 }

// newDivision returns a schedule in which the keys were divided into slots, and then into half as many, by a replica
// that serves them.
func newDivision(t *testing.T) (s *schedule, anew *replica) {
	s = newSchedule(t, 1)
	s.former()
	var gained atomic.Int32
	anew = s.start("new", func(config *Config) {
		halved(config)
		config.Gained = func(context.Context, *Slot) { gained.Add(1) }
	})
	time.Sleep(bound)
	if n := valid(anew); n != slots/2 || int(gained.Load()) != n {
		t.Fatalf("%d slots of the new division are served, and %d were taken", n, gained.Load())
	}
	anew.keeper.view.mu.Lock()
	defer anew.keeper.view.mu.Unlock()
	if known := len(anew.keeper.view.slots); known != slots/2 {
		t.Errorf("it remembers the Leases of %d slots", known)
	}
	return s, anew
}

// checkHalved checks that the keys are divided into half as many slots for the second time, that only those have Leases,
// and that a replica serves them all.
func checkHalved(t *testing.T, s *schedule, r *replica) {
	t.Helper()
	if n := valid(r); n != slots/2 {
		t.Errorf("%d slots are served; it is refused with %v", n, r.keeper.Refused())
	}
	root, err := s.server.get("set")
	if err != nil || numberIn(root, epochAnnotation) != 1 || numberIn(root, slotsAnnotation) != slots/2 {
		t.Errorf("the root is %v, %v", root, err)
	} else if at := root.Spec.AcquireTime; at == nil || !at.Equal(root.Spec.RenewTime) || time.Since(at.Time) > 2*bound {
		t.Errorf("the root says that the keys were divided at %v and %v", at, root.Spec.RenewTime)
	}
	if all := s.server.names(kindSlot); len(all) != slots/2 {
		t.Errorf("these slots have Leases: %v", all)
	}
}

func TestC31ARootThatSomebodyDeletesIsMadeAgainForTheSameSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, anew := newDivision(t)
		if err := s.server.remove("set", nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(bound)
		checkHalved(t, s, anew)
		endAll(anew)
	})
}

// Without the root, only the slots say how the keys are divided.
func TestC31AReplicaOfAnotherDivisionDoesNotMakeTheRootAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, anew := newDivision(t)
		endAll(anew)
		if err := s.server.remove("set", nil); err != nil {
			t.Fatal(err)
		}
		other := s.start("other", nil)
		time.Sleep(bound)
		if err := other.keeper.Refused(); err == nil || !strings.Contains(err.Error(), anew.keeper.config.division()) {
			t.Errorf("it is refused with %v", err)
		}
		if roots := s.server.names(kindRoot); len(roots) != 0 || valid(other) != 0 {
			t.Errorf("it has made the root %v, and serves %d slots", roots, valid(other))
		}
		same := s.start("same", halved)
		time.Sleep(bound)
		checkHalved(t, s, same)
		endAll(other, same)
	})
}

// The Leases of the old slots may be gone, by somebody's hand, when the keys are divided anew.
func TestC31TheKeysAreDividedAnewAlsoWhenOldSlotsHaveNoLeases(t *testing.T) {
	for name, deleted := range map[string][]int{"one": {3}, "all": allSlots()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSchedule(t, 1)
				old := s.former()
				for _, number := range deleted {
					if err := s.server.remove(old.keeper.config.names().slot(0, number), nil); err != nil {
						t.Fatal(err)
					}
				}
				began := time.Now()
				anew := s.start("new", halved)
				stop := again(func() {
					if valid(anew) > 0 && time.Since(began) < duration-100*time.Millisecond {
						t.Errorf("it serves slots %v after it began: an old replica may still have those without Leases", time.Since(began))
					}
				})
				time.Sleep(bound)
				stop()
				checkHalved(t, s, anew)
				endAll(anew)
			})
		})
	}
}

func allSlots() (numbers []int) {
	for number := range slots {
		numbers = append(numbers, number)
	}
	return numbers
}
