// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"hash/fnv"
	"math/bits"
)

// SlotOf returns the slot of a key. The hash is apimachinery's, by which the API server selects, but its
// bits are mixed first: two keys that differ only in their last characters have the same upper bits in
// it, so that the namespaces team-00 to team-99 would all be in one of 64 ranges.
func SlotOf(key string, slots int) int {
	slot, _ := bits.Mul64(mix(hash(key)), uint64(slots))
	return int(slot)
}

// hash is apimachinery's sharding.HashField, as a number.
func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // never fails
	return h.Sum64()
}

// mix is the finalizer of MurmurHash3, after which each bit depends on all.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	return h
}

// ownerOf returns which of the members a slot goes to: by rendezvous hashing, so that a member that comes
// or goes moves only its own share. It returns "" without members.
func ownerOf(slot int, members []string) (owner string) {
	best := uint64(0)
	for _, member := range members {
		score := mix(hash(member) ^ mix(uint64(slot)+1))
		if owner == "" || score > best || score == best && member < owner {
			owner = member
			best = score
		}
	}
	return owner
}

// ownersOf returns which of the members each slot goes to.
func ownersOf(slots int, members []string) []string {
	owners := make([]string, slots)
	for slot := range owners {
		owners[slot] = ownerOf(slot, members)
	}
	return owners
}
