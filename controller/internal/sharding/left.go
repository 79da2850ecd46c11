// SPDX-License-Identifier: Apache-2.0

package sharding

import "time"

// Left returns how long this replica may use the slots that it serves if it does not renew its membership. It is
// zero if it serves none.
func (t *Table) Left() time.Duration {
	for number := range t.slots {
		if slot := t.slots[number].Load(); slot != nil {
			return max(0, slot.Term.Remaining())
		}
	}
	return 0
}
