// SPDX-License-Identifier: Apache-2.0

package work

import "github.com/lanyard-k8s/lanyard/controller/report"

// Stragglers describes units that should have returned. A controller is left out if one of its
// items holds it up, and leadership is left out if work of its term does. withStacks adds the
// stacks of their goroutines, which stops the world.
func Stragglers(live []*Unit, withStacks bool) []report.Work {
	var stacks map[uint64]string
	if withStacks && len(live) > 0 {
		stacks = Stacks()
	}
	heldUp := map[string]bool{}
	inTerm := false
	for _, unit := range live {
		heldUp[unit.Owner] = heldUp[unit.Owner] || unit.Kind == report.Item
		inTerm = inTerm || unit.Term != nil
	}
	var stragglers []report.Work
	for _, unit := range live {
		if unit.Kind == report.Controller && heldUp[unit.Owner] ||
			unit.Kind == report.Leadership && inTerm {
			continue
		}
		w := unit.Describe(unit.Outstanding())
		w.Stack = stacks[unit.goroutine.Load()]
		stragglers = append(stragglers, w)
	}
	return stragglers
}
