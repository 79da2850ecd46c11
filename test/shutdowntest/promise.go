// SPDX-License-Identifier: Apache-2.0

package shutdowntest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/goleak"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// AssertPromise fails the test for each part of the promise that was not kept. It follows [Run.End].
func (r *Run) AssertPromise(expect Expect) {
	r.t.Helper()
	if r.cause == nil {
		r.t.Fatal("AssertPromise before End: there is nothing to assert yet")
	}
	for _, problem := range r.problems(expect) {
		r.t.Error(problem)
	}
}

// problems says what was not kept. What depends on things settling comes last.
func (r *Run) problems(expect Expect) []string {
	var found []string
	if r.manager != nil {
		found = append(found, r.reportProblems(expect)...)
		found = append(found, r.itemProblems(expect)...)
	} else if r.err != nil && !errors.Is(r.err, context.Canceled) {
		found = append(found, fmt.Sprintf("the function returned: %v", r.err))
	}
	found = append(found, r.returnProblems(expect)...)
	found = append(found, r.causeProblems(expect)...)
	if expect.FreeStragglers != nil {
		expect.FreeStragglers()
	}
	found = append(found, r.goroutineProblems(expect)...)
	return append(found, r.lateProblems(expect)...) // last, to see what comes late
}

// returnProblems: by the time that Run returned, all calls had.
func (r *Run) returnProblems(expect Expect) []string {
	if len(r.open) > len(expect.Stragglers) {
		return []string{fmt.Sprintf("%d calls had not returned when Run did, of which %d by stragglers are expected: %s",
			len(r.open), len(expect.Stragglers), few(r.open))}
	}
	return nil
}

// causeProblems: each call that was cut short had a context that ended as the root did.
func (r *Run) causeProblems(expect Expect) []string {
	var found []string
	unended := 0
	for _, c := range r.calls() {
		open := c.Ended.IsZero()
		if c.Began.After(r.ended) || !open && (c.Ended.Before(r.ended) || c.Cause == nil) {
			continue // it was not outstanding at the end, or came to an end of its own
		}
		why := c.Cause
		if open {
			why = context.Cause(c.ctx)
		}
		if why == nil {
			if unended++; unended > len(expect.Stragglers) {
				found = append(found, fmt.Sprintf("%v was made with a context that the manager's end does not end", c))
			}
			continue
		}
		if missing := r.missing(why, c.ctx.Err()); missing != "" {
			found = append(found, fmt.Sprintf("the context of %v ended with %q, which is not %s", c, why, missing))
		}
	}
	return found
}

// itemProblems: what each cancelled item returned is the cause.
func (r *Run) itemProblems(expect Expect) []string {
	if expect.AllowItemErrors {
		return nil
	}
	var found []string
	wrong := 0
	for _, err := range r.ItemErrors() {
		if missing := r.missing(err); missing != "" {
			if wrong++; wrong == 1 {
				found = append(found, fmt.Sprintf("an item that was cancelled returned %q, which is not %s", err, missing))
			}
		}
	}
	if wrong > 1 {
		found = append(found, fmt.Sprintf("%d other items returned what is not the cause", wrong-1))
	}
	return found
}

// missing says what the errors are not although the end's cause is.
func (r *Run) missing(errs ...error) string {
	err := errors.Join(errs...)
	switch {
	case !errors.Is(err, r.cause):
		return fmt.Sprintf("the cause of the end (%v)", r.cause)
	case !errors.Is(err, context.Canceled):
		return "context.Canceled"
	case r.manager != nil && !errors.Is(err, cause.Shutdown):
		return "cause.Shutdown"
	}
	return ""
}

// goroutineProblems: nothing is left. Connections to the API server are the proxy's own.
func (r *Run) goroutineProblems(expect Expect) []string {
	if expect.AllowGoroutines || len(expect.Stragglers) > 0 && expect.FreeStragglers == nil {
		return nil
	}
	var err error
	for range 3 {
		if r.manager == nil || expect.FreeStragglers != nil {
			r.proxy.calls.closeIdle() // no manager does it, or it did before the stragglers were gone
		}
		// The proxy hears of what its clients gave up a little later, and so do its own connections.
		r.proxy.awaitEnd(r.calls(), 5*time.Second)
		r.proxy.closeIdle()
		if err = goleak.Find(r.goroutines); err == nil {
			return nil
		}
	}
	return []string{fmt.Sprintf("after Run had returned, goroutines were left: %v", err)}
}

// lateProblems: nothing was sent after the end. A call that met the end on its way is not late: its
// context had not ended when it was begun, and has since.
func (r *Run) lateProblems(expect Expect) []string {
	arrived := map[string]bool{}
	for _, request := range r.proxy.Requests() {
		arrived[request.AuditID] = true
	}
	var found []string
	for _, c := range r.calls() {
		if !c.Began.After(r.ended) || expect.allowsLate(c.Target) {
			continue
		}
		after := c.Began.Sub(r.ended).Round(time.Microsecond)
		switch {
		case c.onEnded && arrived[c.AuditID]:
			found = append(found, fmt.Sprintf("%v was sent %v after the end, on a context that had ended", c, after))
		case c.onEnded:
			// Its transport has refused it.
		case c.Began.After(r.returned):
			found = append(found, fmt.Sprintf("%v was begun %v after the end, when Run had returned", c, after))
		case r.missing(context.Cause(c.ctx), c.ctx.Err()) != "":
			found = append(found, fmt.Sprintf("%v was begun %v after the end, with a context that does not end with it", c, after))
		}
	}
	return found
}
