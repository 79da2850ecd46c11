// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"fmt"
	"strconv"
	"testing"

	"k8s.io/apimachinery/pkg/sharding"
)

func TestTheHashIsThatOfTheAPIServer(t *testing.T) {
	for _, key := range []string{"", "default", "team-00", "a/b"} {
		want, err := strconv.ParseUint(sharding.HashField(key), 16, 64)
		if err != nil || hash(key) != want {
			t.Errorf("the hash of %q is %x, want %x (%v)", key, hash(key), want, err)
		}
	}
}

func TestKeysThatAreAlikeAreInManySlots(t *testing.T) {
	for _, format := range []string{"team-%02d", "customer-%04d", "ns-%d", "tenant-%d-prod"} {
		used := map[int]int{}
		most := 0
		for i := range 640 {
			slot := SlotOf(fmt.Sprintf(format, i), 64)
			used[slot]++
			most = max(most, used[slot])
		}
		if len(used) < 60 || most > 25 {
			t.Errorf("640 keys like %q are in %d of 64 slots, %d in one", format, len(used), most)
		}
	}
}

func TestAMemberThatComesOrGoesMovesOnlyItsShare(t *testing.T) {
	three, four := []string{"a", "b", "c"}, []string{"a", "b", "c", "d"}
	moved, shares := 0, map[string]int{}
	for slot := range 64 {
		before, after := ownerOf(slot, three), ownerOf(slot, four)
		shares[after]++
		if before == after {
			continue
		}
		moved++
		if after != "d" {
			t.Errorf("slot %d moves from %s to %s, and d has come", slot, before, after)
		}
	}
	if moved < 8 || moved > 24 {
		t.Errorf("%d of 64 slots move to the fourth", moved)
	}
	for member, share := range shares {
		if share < 8 || share > 24 {
			t.Errorf("%s has %d of 64 slots", member, share)
		}
	}
	if owner := ownerOf(1, nil); owner != "" {
		t.Errorf("without members slot 1 goes to %q", owner)
	}
}
