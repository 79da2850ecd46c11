// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Report is what an exploration has found.
type Report struct {
	Points    int           // calls that faults were put at
	Planned   int           // scenarios
	Scenarios int           // that were tried; those that repeat a failure are not counted
	Missed    int           // in which the call of a fault was not made
	Sampled   bool          // not all faults were tried
	Seed      uint64        // of what was drawn
	Took      time.Duration // in all
	Prepared  time.Duration // of that, for the runs without faults
	Failures  []Failure
	Unsure    []string // what did not come again when the program had more time: no failure
	Calls     []string // of the only plan, with the flag -fault

	mu sync.Mutex
}

// Failure is what plans that fail in the same way have in common.
type Failure struct {
	Oracle  Oracle
	Problem string
	Plan    string // the smallest one
	Others  int    // how many other plans fail in the same way
	// Seen of Tried times, the plan has failed.
	Seen, Tried int
	Log         []string // the last errors that the program has logged
}

// text is what a test says.
func (f *Failure) text(test string) string {
	name, _, _ := strings.Cut(test, "/")
	text := fmt.Sprintf("%s: %s\n    with the plan %s\n    repeat it: go test -run '^%s$' -fault='%s'",
		f.Oracle, f.Problem, f.Plan, name, f.Plan)
	if f.Seen < f.Tried {
		text += fmt.Sprintf("\n    the plan has failed %d of %d times", f.Seen, f.Tried)
	}
	if f.Others > 0 {
		text += fmt.Sprintf("\n    %d other plans fail in the same way", f.Others)
	}
	if len(f.Log) > 0 {
		text += "\n    the program's last error: " + f.Log[len(f.Log)-1]
	}
	return text
}

// summary is the report in a line, and the calls if there was one plan only.
func (r *Report) summary() string {
	text := fmt.Sprintf("faulttest: %d calls, %d of %d scenarios, in %v for the runs without faults and %v for the others: %.1f a second",
		r.Points, r.Scenarios, r.Planned, r.Prepared.Round(100*time.Millisecond), (r.Took - r.Prepared).Round(100*time.Millisecond),
		float64(r.Scenarios)/(r.Took-r.Prepared).Seconds())
	if len(r.Calls) > 0 { // of a plan that was given
		text = "faulttest: the calls of the plan:"
		if r.Missed > 0 {
			text = "faulttest: the call of the fault was not made; those that were:"
		}
		return text + "\n" + strings.Join(r.Calls, "\n")
	}
	if r.Missed > 0 {
		text += fmt.Sprintf("; in %d the call of the fault was not made", r.Missed)
	}
	if r.Sampled {
		text += fmt.Sprintf("; drawn with -faultseed=%d", r.Seed)
	}
	for _, unsure := range r.Unsure {
		text += "\n  seen once, and not again when the program had more time: " + unsure
	}
	return text
}

// add adds a scenario that has failed. Only its first problem counts: the others may follow from it.
func (r *Report) add(failed *result, seen, tried int) {
	if len(failed.problems) == 0 {
		return
	}
	problem := failed.problems[0]
	plan := failed.plan
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.Failures {
		if f := &r.Failures[i]; f.Oracle == problem.oracle && f.Problem == problem.text {
			f.Others++
			if shorter := Plan(plan).String(); len(shorter) < len(f.Plan) {
				f.Plan, f.Seen, f.Tried = shorter, seen, tried
			}
			return
		}
	}
	r.Failures = append(r.Failures, Failure{
		Oracle: problem.oracle, Problem: problem.text, Plan: Plan(plan).String(), Seen: seen, Tried: tried, Log: failed.log,
	})
}

// atRest is in the place of a call when somebody else acts while the program is at rest.
const atRest = "at rest"

// addAtRest adds what goes wrong when somebody else acts while the program is at rest. It reports whether the error
// is of that kind.
func (r *Report) addAtRest(of story, err error) bool {
	var found finding
	if of.then == "" || !errors.As(err, &found) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	plan := Plan{{phase: of.until, target: atRest, n: 1, Mode: of.then}}
	r.Failures = append(r.Failures, Failure{Oracle: found.oracle, Problem: found.text, Plan: plan.String(), Seen: 1, Tried: 1})
	return true
}

// known reports whether a problem has been found before.
func (r *Report) known(failed *result) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.Failures {
		if r.Failures[i].Oracle == failed.problems[0].oracle && r.Failures[i].Problem == failed.problems[0].text {
			return true
		}
	}
	return false
}

// lines are the calls of a scenario.
func (s *scenario) lines() (lines []string) {
	process := 0
	for _, c := range s.all() {
		if c.run != process {
			process = c.run
			lines = append(lines, fmt.Sprintf("  --- process %d", process+1))
		}
		if !c.internal {
			lines = append(lines, "  "+strings.TrimPrefix(phaseNames[c.phase]+": ", ": ")+c.String())
		}
	}
	return lines
}
