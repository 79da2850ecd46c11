// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"testing"
	"testing/synctest"
	"time"
)

// A replica that divides the keys in another way works only when nobody has a slot of the old way any more, whatever
// became of the Leases by which the old ones know each other.
func TestC31TheKeysAreNotDividedAnewWhileASlotIsHeld(t *testing.T) {
	for name, c := range map[string]struct {
		fault func(s *schedule, old *replica) // what makes the old replica seem to be gone
		after func(old *replica)              // what ends it in the end
	}{
		"its membership is deleted, which it hears late": {func(s *schedule, old *replica) {
			old.network.set(s, time.Second, 1010*time.Millisecond, 0)
			time.Sleep(2 * time.Second)
			for _, name := range s.server.names(kindMember) {
				_ = s.server.remove(name, nil)
			}
		}, func(old *replica) { old.end() }},
		"it is cut off": {func(_ *schedule, old *replica) { old.network.cut(true) }, func(old *replica) {
			old.network.cut(false)
			old.end()
		}},
		"it is alive": {func(*schedule, *replica) {}, func(old *replica) { old.end() }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSchedule(t, 1)
				old := s.start("old", nil)
				time.Sleep(2 * time.Second)
				if held := len(old.keeper.table.Held()); held != slots {
					t.Fatalf("%d slots are served", held)
				}
				c.fault(s, old)
				anew := s.start("new", func(config *Config) { config.Slots = slots / 2 })
				both := false
				stop := again(func() {
					if before, after := valid(old), valid(anew); before > 0 && after > 0 && !both {
						both = true
						t.Errorf("%d slots of the old division and %d of the new one are served at the same time", before, after)
					}
				})
				time.Sleep(2 * bound)
				c.after(old)
				<-old.done
				time.Sleep(bound)
				if held := len(anew.keeper.table.Held()); held != slots/2 {
					t.Errorf("%d slots of the new division are served when nobody has one of the old", held)
				}
				stop()
				anew.end()
				<-anew.done
			})
		})
	}
}

// A slot whose Lease could not be written may be taken by a replica that divides the keys in the old way.
func TestC31TheKeysAreNotDividedAnewWhileALeaseCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		old := s.former()
		var client *unwritable
		anew := s.start("new", func(config *Config) {
			halved(config)
			client = &unwritable{name: old.keeper.config.names().slot(0, 3)}
			config.Client = client.client(config.Client)
		})
		time.Sleep(bound)
		if root, err := s.server.get("set"); err != nil || numberIn(root, slotsAnnotation) != slots {
			t.Errorf("the keys are divided anew although the Lease of a slot could not be retired: %v, %v", root, err)
		}
		client.healed.Store(true)
		time.Sleep(bound)
		if held := len(anew.keeper.table.Held()); held != slots/2 {
			t.Errorf("%d slots are served when all Leases can be written", held)
		}
		anew.end()
		<-anew.done
	})
}

// former returns a replica that has divided the keys into slots, and has ended.
func (s *schedule) former() *replica {
	old := s.start("old", nil)
	time.Sleep(2 * time.Second)
	endAll(old)
	return old
}

// valid is how many slots a replica may write in now.
func valid(r *replica) (n int) {
	for number := range r.keeper.table.slots {
		if slot := r.keeper.table.slots[number].Load(); slot != nil && slot.Term.Check() == nil {
			n++
		}
	}
	return n
}
