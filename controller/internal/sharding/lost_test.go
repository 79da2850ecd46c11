// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

func TestC31ALeaseThatSomebodyChangesEndsItsSlotAtOnceAndNoOther(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *server, lease string)
		how    cause.TermEnd
	}{
		"deleted": {func(s *server, lease string) { _ = s.remove(lease, nil) }, cause.TermDeleted},
		"emptied": {func(s *server, lease string) {
			s.edit(lease, func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("") })
		}, cause.TermReleased},
		"taken": {func(s *server, lease string) {
			s.edit(lease, func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("stranger") })
		}, cause.TermTaken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSchedule(t, 1)
				r := s.start("a", nil)
				time.Sleep(2 * time.Second)
				slot := r.keeper.table.slots[3].Load()
				if slot == nil || !slot.Enter() {
					t.Fatal("slot 3 is not served")
				}
				var why error
				slot.AtEnd(func(err error) { why = err })
				c.change(s.server, slot.Term.Term.Lease.Name)
				time.Sleep(20 * time.Millisecond)
				synctest.Wait()
				var ended *cause.TermEnded
				if !errors.Is(why, cause.ShardLost) || !errors.As(why, &ended) || ended.How != c.how || slot.Term.Check() == nil {
					t.Errorf("20 ms later the work has ended with %v", why)
				}
				slot.Leave()
				if held := r.keeper.table.Held(); len(held) != slots-1 {
					t.Errorf("%d of the other %d slots are served", len(held), slots-1)
				}
				time.Sleep(duration - 100*time.Millisecond)
				if r.keeper.table.slots[3].Load() != nil {
					t.Error("the slot is served again before its last holder must know that it is over")
				}
				time.Sleep(2 * time.Second)
				if len(r.keeper.table.Held()) != slots {
					t.Error("the slot is not served again")
				}
				r.end()
				<-r.done
			})
		})
	}
}
