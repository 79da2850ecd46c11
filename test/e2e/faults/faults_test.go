// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// fault is something that a stale cache leads to.
type fault struct {
	name      string
	lost      bool // the answers to the first creates get lost, as many as there are parents
	children  bool // each parent has a child of an older image
	reconcile func(*trial) reconcile
	// counts counts something for each parent, which is a fault if it is more than most.
	counts func(*testing.T, *trial) map[string]int
	most   int
}

func faults() []fault {
	of := func(r reconcile) func(*trial) reconcile { return func(*trial) reconcile { return r } }
	made := func(t *testing.T, r *trial) map[string]int { return r.made(t) }
	return []fault{
		{name: "a second child is made", reconcile: of(oneChild), counts: made, most: 1},
		{
			name: "the replacement is deleted too", children: true, reconcile: of(replace),
			counts: func(_ *testing.T, r *trial) map[string]int { return r.deletes }, most: 1,
		},
		{
			name: "it is done again, from the old object", reconcile: func(r *trial) reconcile { return once(r.effect) },
			counts: func(_ *testing.T, r *trial) map[string]int { return r.effects }, most: 1,
		},
		{
			name: "the status goes backwards", reconcile: of(steps),
			counts: func(_ *testing.T, r *trial) map[string]int { return r.fell() },
		},
		{name: "a second child is made after a lost answer", lost: true, reconcile: of(oneChild), counts: made, most: 1},
	}
}

// framework is what a program is written on.
type framework struct {
	name string
	run  run
	// never and always say in which faults the framework must and must not end up. The others are only
	// counted.
	never, always bool
}

func frameworks() []framework {
	return []framework{
		{name: "bare client-go", run: bare, always: true},
		{name: "controller-runtime", run: onControllerRuntime(false)},
		{name: "the same with EnableReadYourWritesConsistency", run: onControllerRuntime(true)},
		{name: "Lanyard", run: onLanyard, never: true},
	}
}

// TestC19TheFaultsOfStaleCachesHappenOnBareClientGoAndNotOnLanyard counts them, also on controller-runtime.
func TestC19TheFaultsOfStaleCachesHappenOnBareClientGoAndNotOnLanyard(t *testing.T) {
	counted := &counted{}
	t.Run("each", func(t *testing.T) {
		for _, fault := range faults() {
			for _, framework := range frameworks() {
				t.Run(fault.name+" on "+framework.name, func(t *testing.T) {
					t.Parallel()
					n, rests := fault.happens(t, framework.run)
					counted.add(fault.name, framework.name, n, rests)
					if framework.never && (n > 0 || !rests) || framework.always && n == 0 {
						t.Errorf("it happened to %d of %d objects, and the program came to rest: %t", n, *objects, rests)
					}
				})
			}
		}
	})
	t.Logf("%d objects, watches are %v late:\n\n%s", *objects, lag, counted.table())
}

// counted is how often each fault has happened on each framework.
type counted struct {
	mu    sync.Mutex
	times map[[2]string]string
}

func (c *counted) add(fault, framework string, n int, rests bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.times == nil {
		c.times = map[[2]string]string{}
	}
	cell := fmt.Sprint(n)
	if !rests {
		cell += ", again and again"
	}
	c.times[[2]string{fault, framework}] = cell
}

// table returns what was counted, for docs/read-your-writes.md.
func (c *counted) table() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var table strings.Builder
	fmt.Fprint(&table, "| objects to which it happens |")
	for _, framework := range frameworks() {
		fmt.Fprintf(&table, " %s |", framework.name)
	}
	fmt.Fprintf(&table, "\n|---|%s\n", strings.Repeat("---|", len(frameworks())))
	for _, fault := range faults() {
		fmt.Fprintf(&table, "| %s |", fault.name)
		for _, framework := range frameworks() {
			fmt.Fprintf(&table, " %s |", c.times[[2]string{fault.name, framework.name}])
		}
		fmt.Fprintln(&table)
	}
	return table.String()
}

// happens returns to how many parents a fault happens, and whether the program comes to rest.
func (f *fault) happens(t *testing.T, run run) (n int, rests bool) {
	lost := 0
	if f.lost {
		lost = *objects
	}
	r := newTrial(t, lost)
	r.create(t, f.children)
	rests = r.run(t, run, f.reconcile(r))
	for _, count := range f.counts(t, r) {
		if count > f.most {
			n++
		}
	}
	return n, rests
}
