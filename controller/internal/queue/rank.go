// SPDX-License-Identifier: Apache-2.0

package queue

import "cmp"

// Rank is the place of an item in a [Ranked] queue.
type Rank struct {
	Priority    int    // the highest comes first
	LowPriority bool   // it comes after others of the same Priority, as in [Order.AddLowPriority]
	Tenant      string // the items of a place in line take turns by it
}

// place is what decides which items come first.
type place struct {
	urgent   bool
	priority int
	low      bool
}

func placeOf(rank Rank) place { return place{priority: rank.Priority, low: rank.LowPriority} }

// compare is positive if p comes before other, and negative if it comes after.
func (p place) compare(other place) int {
	return cmp.Or(
		compareBools(p.urgent, other.urgent),
		cmp.Compare(p.priority, other.priority),
		compareBools(other.low, p.low),
	)
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}
