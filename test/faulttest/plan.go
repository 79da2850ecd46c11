// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// phase is a part of the story that each scenario tells.
type phase int

const (
	fromStart     phase = iota // the objects are there when the program starts
	afterChange                // somebody has changed the first object
	afterDeletion              // somebody has deleted it
)

var phaseNames = []string{"", "after the change", "after the deletion"}

// Fault is a mode at a call.
type Fault struct {
	phase  phase
	owner  string // on whose behalf, as in "web-controller web"; empty: anybody
	target string // as in "patch deployments.apps web"
	n      int    // the n-th call of this target (of the owner) in the phase, from 1
	Mode   Mode
}

// Plan is the faults of a scenario.
type Plan []Fault

// String is what [ParsePlan] reads.
func (p Plan) String() string {
	words := make([]string, len(p))
	for i := range p {
		words[i] = p[i].String()
	}
	return strings.Join(words, "; ")
}

// String is the call and the mode, as in "patch deployments.apps web #3: applied, then reset".
func (f Fault) String() string {
	words := ""
	if f.phase != fromStart {
		words = phaseNames[f.phase] + ": "
	}
	if f.owner != "" {
		words += "for " + f.owner + ": "
	}
	return fmt.Sprintf("%s%s #%d: %s", words, f.target, f.n, f.Mode)
}

// ParsePlan reads a plan from the text that a failure has.
func ParsePlan(text string) (Plan, error) {
	var plan Plan
	for each := range strings.SplitSeq(text, "; ") {
		fault, err := parseFault(strings.Trim(each, " '\""))
		if err != nil {
			return nil, fmt.Errorf("the fault %q is not one: %w; "+
				"write it as in 'patch deployments.apps web #3: applied, then reset'", each, err)
		}
		plan = append(plan, fault)
	}
	return plan, nil
}

func parseFault(text string) (fault Fault, err error) {
	for i, name := range phaseNames {
		if rest, found := strings.CutPrefix(text, name+": "); found && name != "" {
			fault.phase, text = phase(i), rest
		}
	}
	if rest, found := strings.CutPrefix(text, "for "); found {
		if fault.owner, text, found = strings.Cut(rest, ": "); !found {
			return fault, fmt.Errorf("it has no call after the owner")
		}
	}
	call, mode, found := strings.Cut(text, ": ")
	if !found || !slices.Contains(Modes(), Mode(mode)) {
		return fault, fmt.Errorf("%q is no mode: there are %q", mode, Modes())
	}
	at := strings.LastIndex(call, " #")
	if at < 0 {
		return fault, fmt.Errorf("it has no number such as #3")
	}
	if fault.n, err = strconv.Atoi(call[at+2:]); err != nil || fault.n < 1 {
		return fault, fmt.Errorf("%q is no number of a call", call[at+2:])
	}
	fault.target, fault.Mode = call[:at], Mode(mode)
	return fault, nil
}

// phase is the last one that the scenario reaches.
func (p Plan) phase() (last phase) {
	for _, f := range p {
		last = max(last, f.phase)
	}
	return last
}

// world is the fault by which somebody else acts; the zero fault if there is none.
func (p Plan) world() Fault {
	for _, f := range p {
		if f.Mode.world() {
			return f
		}
	}
	return Fault{phase: p.phase()}
}
