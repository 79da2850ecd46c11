// SPDX-License-Identifier: Apache-2.0

package faulttest

import "context"

// pairs tries pairs of faults, drawn at random, until the budget is used up: a second fault at one of the calls that
// were made after a first one.
func (x *explorer) pairs(ctx context.Context, whole *reference) error {
	traces := x.passed
	const batch = 64
	tried := map[string]bool{}
	for !x.over() {
		var jobs []job
		for range 20 * batch {
			if plan := x.pair(traces, whole); plan != nil && !tried[plan.String()] && len(jobs) < batch {
				tried[plan.String()] = true
				jobs = append(jobs, job{plan})
			}
		}
		if len(jobs) == 0 {
			return nil // there are no more
		}
		x.report.Planned += len(jobs)
		if err := x.all(ctx, jobs); err != nil {
			return err
		}
	}
	x.report.Sampled = true
	return nil
}

// pair draws a pair; nil if it makes no sense.
func (x *explorer) pair(traces []trace, whole *reference) Plan {
	if len(traces) == 0 {
		return nil
	}
	first := traces[x.random.IntN(len(traces))]
	if len(first.after) == 0 {
		return nil
	}
	at := first.after[x.random.IntN(len(first.after))]
	mode := x.options.Modes[x.random.IntN(len(x.options.Modes))]
	if !mode.fits(&at, whole.leads) || mode.world() && first.plan[0].Mode.world() {
		return nil
	}
	return append(Plan{first.plan[0]}, at.fault(mode, ownersOf(append(whole.points, first.after...))))
}

// shrink looks for a smaller plan that fails in the same way, and makes sure of the failure. It counts only if it comes
// again when the program has more time: on a busy machine a program may be quiet although it is not at rest.
func (x *explorer) shrink(ctx context.Context, failed *result) (*result, error) {
	patient := max(x.quiet(), x.options.Patience/5)
	if len(failed.plan) > 1 {
		for i := range failed.plan {
			single, err := x.try(ctx, Plan{failed.plan[i]}, patient)
			if err != nil {
				return nil, err
			}
			if single.fails(failed) {
				return single, nil
			}
		}
	}
	const tries = 2
	for failed.seen, failed.tried = 0, 0; failed.seen == 0 && failed.tried < tries; failed.tried++ {
		again, err := x.try(ctx, failed.plan, patient)
		if err != nil {
			return nil, err
		}
		if again.fails(failed) {
			failed.seen++
		}
	}
	return failed, nil
}

// fails reports whether a result has a problem of the kind that another one has.
func (r *result) fails(like *result) bool {
	for _, p := range r.problems {
		for _, q := range like.problems {
			if p.oracle == q.oracle {
				return true
			}
		}
	}
	return false
}
