// SPDX-License-Identifier: Apache-2.0

package loops

import (
	"hash/maphash"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Free is the number of writes of an object within [FreePeriod] that are part of no row. Most objects are written once or
// twice and come to rest, and so nothing is kept of them.
const (
	Free       = 2
	FreePeriod = 10 * time.Minute
)

// seldom counts the writes of objects in little memory. Objects whose UIDs have the same hash are counted as one, so
// that they have fewer writes free, and none has more.
type seldom struct {
	seed   maphash.Seed
	since  time.Time
	counts [1 << 14]uint8 // at most Free
}

// free counts a write of an object, and reports whether it is one of those that are part of no row.
func (s *seldom) free(uid types.UID, at time.Time) bool {
	if at.Sub(s.since) >= FreePeriod {
		clear(s.counts[:])
		s.since = at
	}
	count := &s.counts[maphash.String(s.seed, string(uid))%uint64(len(s.counts))]
	if *count == Free {
		return false
	}
	*count++
	return true
}
