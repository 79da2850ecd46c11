// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"errors"
	"slices"
	"testing"
)

func TestASlotEndsOnceWhatWasNotForgotten(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	var kept, forgotten, late []error
	to := func(errs *[]error) func(error) { return func(err error) { *errs = append(*errs, err) } }
	slot := newSlot(slotID{0, 3})
	forgetKept := slot.AtEnd(to(&kept))
	slot.AtEnd(to(&forgotten))()
	slot.giveUp(first)
	slot.giveUp(second)
	forgetLate := slot.AtEnd(to(&late))
	forgetKept()
	forgetLate()
	if len(forgotten) != 0 {
		t.Errorf("what was forgotten is called with %v", forgotten)
	}
	if want := []error{first}; !slices.Equal(kept, want) || !slices.Equal(late, want) {
		t.Errorf("what is not forgotten is called with %v, and what comes after the end with %v", kept, late)
	}
}
