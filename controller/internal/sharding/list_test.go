// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"slices"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/types"
)

// viewed returns a configuration and a view that nobody fills.
func viewed() (*Config, *view) {
	c := &Config{Name: types.NamespacedName{Namespace: "ns", Name: "set"}, Slots: slots, Key: "namespace"}
	return c, newView(func() time.Duration { return time.Hour }, duration, c.slotLease)
}

// A watch that breaks does not show what is deleted until the next one begins.
func TestC31WhatANewListDoesNotShowHasBeenDeleted(t *testing.T) {
	config, v := viewed()
	var deleted []string
	w := &watcher{config: config, view: v, seen: func(lease *coordinationv1.Lease, gone bool) {
		if gone {
			deleted = append(deleted, lease.Name)
		}
	}}
	list := func(leases ...*coordinationv1.Lease) (gone []string) {
		deleted = nil
		objects := make([]any, 0, len(leases))
		for _, lease := range leases {
			objects = append(objects, lease)
		}
		if err := (store{w}).Replace(objects, ""); err != nil {
			t.Error(err)
		}
		slices.Sort(deleted)
		return deleted
	}
	all := config.names()
	root := all.newLease("ns", "set", kindRoot)
	member := holder{"a", "1"}.take(all.newLease("ns", all.member("a"), kindMember), duration)
	member.Annotations[divisionAnnotation] = config.division()
	first, second := config.slotLease(slotID{0, 1}), config.slotLease(slotID{0, 2})
	if gone := list(root, member, first, second); gone != nil || v.rootLease() == nil || len(v.live(config.division())) != 1 {
		t.Errorf("the first list: gone are %q; the root is %v; alive are %q", gone, v.rootLease(), v.live(config.division()))
	}
	want := []string{root.Name, member.Name, first.Name}
	if gone := list(second); !slices.Equal(gone, want) || v.rootLease() != nil || len(v.live(config.division())) != 0 {
		t.Errorf("gone are %q; the root is %v; alive are %q", gone, v.rootLease(), v.live(config.division()))
	}
	if gone := list(second); gone != nil {
		t.Errorf("these are gone again: %q", gone)
	}
	_, firstAbsent := v.slot(slotID{0, 1})
	if _, secondAbsent := v.slot(slotID{0, 2}); !firstAbsent || secondAbsent {
		t.Errorf("slot 1 is gone: %v; slot 2: %v", firstAbsent, secondAbsent)
	}
}

// Slots of several epochs may have Leases: those of the old one while it is retired, and such as somebody has restored.
func TestC31TheNewestEpochIsThatOfTheSlotsThatCanBeTaken(t *testing.T) {
	const open, gone, taken = "open", "gone", "retired" // the states of all slots of an epoch
	for name, c := range map[string]struct {
		states []string // by epoch
		epoch  int
		open   bool
	}{
		"no slots":                    {nil, 0, false},
		"one epoch":                   {[]string{open}, 0, true},
		"two epochs":                  {[]string{open, open}, 1, true},
		"a new epoch":                 {[]string{taken, open}, 1, true},
		"no epoch after a former one": {[]string{gone, taken}, 2, false},
		"a new epoch that is gone":    {[]string{open, gone}, 0, true},
		"all are gone":                {[]string{gone, gone}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			config, v := viewed()
			for epoch, state := range c.states {
				for number := range slots {
					lease := config.slotLease(slotID{epoch, number})
					lease.Annotations[divisionAnnotation] = state + string(rune('0'+epoch))
					if state == taken {
						lease = retired().take(lease, duration)
					}
					v.set(lease)
					if state == gone {
						v.delete(lease)
					}
				}
			}
			want := ""
			if c.open {
				want = open + string(rune('0'+c.epoch))
			}
			for range 20 { // maps have no order
				if epoch, division, isOpen := v.newestEpoch(); epoch != c.epoch || isOpen != c.open || division != want {
					t.Fatalf("the newest epoch is %d, divided by %q, open: %v", epoch, division, isOpen)
				}
			}
		})
	}
}
