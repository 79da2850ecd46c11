// SPDX-License-Identifier: Apache-2.0

package shutdowntest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// reportProblems: Run's error and the report say what has happened.
func (r *Run) reportProblems(expect Expect) []string {
	ended := r.manager.Report()
	var found []string
	if missing := r.missing(ended.Cause); missing != "" {
		found = append(found, fmt.Sprintf("the report gives the cause %q, which is not %s", ended.Cause, missing))
	}
	found = append(found, r.errorProblems(expect)...)
	found = append(found, stragglerProblems(expect, ended.Stragglers)...)
	want := expect.Cancelled
	switch {
	case want == AnyCancelled:
		return found
	case want == NoneCancelled:
		want = 0
	case want == 0:
		want = max(0, len(r.held)-len(expect.Stragglers))
	}
	if len(ended.Cancelled) != want {
		found = append(found, fmt.Sprintf("the report lists %d cancelled items, want %d: %s", len(ended.Cancelled), want, few(ended.Cancelled)))
	}
	if expect.Cancelled == 0 {
		found = append(found, r.callProblems(ended)...)
	}
	return found
}

func (r *Run) errorProblems(expect Expect) []string {
	var shutdown *controller.ShutdownError
	switch {
	case len(expect.Stragglers) == 0 && r.err != nil:
		return []string{fmt.Sprintf("Run returned: %v", r.err)}
	case len(expect.Stragglers) > 0 && !errors.As(r.err, &shutdown):
		return []string{fmt.Sprintf("Run returned %v, want a controller.ShutdownError that names the stragglers", r.err)}
	case len(expect.Stragglers) > 0 && r.missing(r.err) != "":
		return []string{fmt.Sprintf("Run returned %q, which is not %s", r.err, r.missing(r.err))}
	}
	return nil
}

func stragglerProblems(expect Expect, stragglers []report.Work) []string {
	var found []string
	left := make([]string, len(stragglers))
	for i, w := range stragglers {
		left[i] = w.String()
	}
	for _, want := range expect.Stragglers {
		named := false
		for _, line := range left {
			named = named || strings.Contains(line, want)
		}
		if !named {
			found = append(found, fmt.Sprintf("the report does not name the straggler %q, but: %s", want, few(left)))
		}
	}
	if len(left) > len(expect.Stragglers) {
		found = append(found, fmt.Sprintf("%d did not stop, %d were expected: %s", len(left), len(expect.Stragglers), few(left)))
	}
	return found
}

// callProblems: the items in the report have the calls that rules held at the end.
func (r *Run) callProblems(ended report.Shutdown) []string {
	reported := map[Target]int{}
	for _, w := range slices.Concat(ended.Cancelled, ended.Stragglers) {
		for _, c := range w.Calls {
			reported[Target{Verb: c.Verb, Resource: c.Resource, Namespace: c.Namespace, Name: c.Name}]++
		}
	}
	var missing []Target
	for _, target := range r.held {
		if reported[target]--; reported[target] < 0 {
			missing = append(missing, target)
		}
	}
	if len(missing) > 0 {
		return []string{fmt.Sprintf("the report lists no item in %d calls that were outstanding: %s", len(missing), few(missing))}
	}
	return nil
}
