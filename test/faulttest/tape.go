// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"slices"
	"sync"
	"time"
)

// tape is the record of a scenario: calls, and how reconciles ended.
type tape struct {
	activity
	record sync.Mutex
	phase  phase
	plan   []Fault
	hit    []bool
	long   map[countKey]*lasting // the failures that last, by whose calls they are
	counts map[countKey]int
	calls  []*call
	ends   []outcome
	log    []string // the program's errors

	run    int   // the number of the process that runs, from 0
	late   bool  // the process was told to end
	check  check // what is done to the program at rest
	lost   bool  // the Lease is somebody else's
	leases map[leaseName]bool

	watching map[string]bool // what the process watches
	leading  bool            // it has written to a Lease
}

type countKey struct {
	phase         phase
	owner, target string
}

type leaseName struct{ namespace, name string }

// outcome is how a reconcile ended.
type outcome struct {
	object, result string
	at             time.Time
}

func newTape(plan Plan) *tape {
	t := &tape{
		plan: plan, hit: make([]bool, len(plan)), long: map[countKey]*lasting{}, counts: map[countKey]int{}, leases: map[leaseName]bool{}, watching: map[string]bool{},
	}
	t.touch()
	return t
}

// begin takes a call into the record, and says what is to happen to it.
func (t *tape) begin(c *call) {
	t.record.Lock()
	defer t.record.Unlock()
	c.phase, c.run, c.late, c.check, c.lost = t.phase, t.run, t.late, t.check, t.lost
	if c.check == noCheck {
		t.count(c)
		t.choose(c)
	}
	t.calls = append(t.calls, c)
	switch {
	case c.lease: // renewed for ever
	case c.watch:
		t.touch()
	default:
		t.activity.begin()
	}
}

func (t *tape) count(c *call) {
	of := countKey{c.phase, c.owner, c.target}
	all := countKey{c.phase, "\x00any", c.target}
	t.counts[of]++
	t.counts[all]++
	c.n, c.any = t.counts[of], t.counts[all]
}

func (t *tape) choose(c *call) {
	if t.goesOn(c) {
		c.fault = FailedLong
		return
	}
	for i := range t.plan {
		if !t.hit[i] && !c.internal && t.plan[i].at(&c.point) {
			t.hit[i] = true
			c.fault = t.plan[i].Mode
			if c.fault == FailedLong {
				t.long[countKey{owner: c.owner, target: c.target}] = &lasting{times: 1, last: t.now()}
			}
			return
		}
	}
}

// lasting is a failure that lasts until the program waits before it tries again.
type lasting struct {
	times int
	last  time.Duration // the end of the last call that failed, in ticks
	over  bool
}

// A program that backs off waits for 5 or 10 ms first, and then twice as long each time.
const (
	backedOff = 80 * time.Millisecond
	maxLong   = 25 // calls that may fail before that, for each call that there is without faults
)

// goesOn reports whether a call is one more of a failure that lasts.
func (t *tape) goesOn(c *call) bool {
	l := t.long[countKey{owner: c.owner, target: c.target}]
	if l == nil || l.over {
		return false
	}
	if t.now()-l.last >= backedOff || l.times >= 4*maxLong {
		l.over = true
		return false
	}
	l.times++
	return true
}

// end notes the first end of a call.
func (t *tape) end(c *call, status int, err error) {
	t.record.Lock()
	defer t.record.Unlock()
	if !c.ended.IsZero() {
		return
	}
	c.ended, c.status, c.err = time.Now(), status, err
	if l := t.long[countKey{owner: c.owner, target: c.target}]; l != nil && c.fault == FailedLong {
		l.last = t.now()
	}
	if !c.watch && !c.lease {
		t.activity.end()
	}
}

// all returns copies of the calls.
func (t *tape) all() []call {
	t.record.Lock()
	defer t.record.Unlock()
	calls := make([]call, len(t.calls))
	for i, c := range t.calls {
		calls[i] = *c
	}
	return calls
}

// number is how many calls there were, without those of informers.
func (t *tape) number() (n int) {
	t.record.Lock()
	defer t.record.Unlock()
	for _, c := range t.calls {
		if !c.internal {
			n++
		}
	}
	return n
}

// points returns the calls that faults can be put at.
func (t *tape) points() (points []point) {
	for _, c := range t.all() {
		if !c.internal && c.check == noCheck && !c.late {
			points = append(points, c.point)
		}
	}
	return points
}

// missed returns the faults whose calls were not made.
func (t *tape) missed() (missed Plan) {
	t.record.Lock()
	defer t.record.Unlock()
	for i, hit := range t.hit {
		if !hit {
			missed = append(missed, t.plan[i])
		}
	}
	return missed
}

// answered notes the beginning of an answer.
func (t *tape) answered(c *call, status int, alive bool) {
	t.record.Lock()
	defer t.record.Unlock()
	c.detached = alive
	if c.run != t.run || status >= 300 {
		return
	}
	if c.watch && !c.lease {
		t.watching[c.target] = true
		t.touch()
	}
	if c.lease && c.write && !t.leading {
		t.leading = true
		t.touch()
	}
}

// set changes what the record says about later calls.
func (t *tape) set(change func(t *tape)) {
	t.record.Lock()
	defer t.record.Unlock()
	change(t)
}

func (t *tape) reconciled(end outcome) {
	t.record.Lock()
	defer t.record.Unlock()
	t.ends = append(t.ends, end)
}

func (t *tape) logged(line string) {
	t.record.Lock()
	defer t.record.Unlock()
	if t.log = append(t.log, line); len(t.log) > 20 {
		t.log = t.log[1:]
	}
}

func (t *tape) outcomes() []outcome {
	t.record.Lock()
	defer t.record.Unlock()
	return slices.Clone(t.ends)
}
