package controller

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// ShutdownReport is the account of a manager's end (C7).
type ShutdownReport struct {
	// Cause is why it ended. See package cause.
	Cause error
	// Took is the time from the end to the return of Run.
	Took time.Duration
	// Cancelled lists the items that were in flight at the end and ended with it, or of which a call was
	// cut short, and those calls. A write that was cut short may or may not have been applied.
	Cancelled []Work
	// Finished is how many items were in flight at the end and came to their own end, well or not.
	Finished int
	// Queued is how many items were waiting, by controller. None of them was started (C4).
	Queued map[string]int
	// Stragglers lists what had not returned when the shutdown timeout was over.
	Stragglers []Work
}

// Work is something that a manager runs.
type Work struct {
	Kind  string               // item, controller, informer or runnable
	Owner string               // the name of the controller, informer or runnable
	Item  types.NamespacedName // the object, of an item
	Age   time.Duration        // since it started
	Calls []Call               // the API calls it is, or was, in
	Err   error                // what the reconcile function returned, of an item that was cancelled
	Stack string               // of its goroutine, if Options.StragglerStacks asks for it
}

// Call is an API call.
type Call struct {
	Verb      string // get, list, watch, create, update, patch, apply, delete or deletecollection
	Resource  string // with group and subresource, such as deployments.apps or flunders.wardle.example.com/status
	Namespace string
	Name      string
	Age       time.Duration // since it was sent
	Waiting   bool          // for room on a connection: it has not been sent yet
}

// String is the call in one line.
func (c Call) String() string {
	target := c.Resource
	if c.Name != "" {
		target += " " + strings.TrimPrefix(c.Namespace+"/"+c.Name, "/")
	} else if c.Namespace != "" {
		target += " in " + c.Namespace
	}
	if c.Waiting {
		target += " (waiting for room on a connection)"
	}
	return fmt.Sprintf("%s %s for %v", c.Verb, target, c.Age.Round(time.Millisecond))
}

// String is the work in one line.
func (w Work) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", w.Kind, w.Owner)
	if w.Item.Name != "" {
		fmt.Fprintf(&b, " %s", w.Item)
	}
	fmt.Fprintf(&b, ", running for %v", w.Age.Round(time.Millisecond))
	for i, call := range w.Calls {
		b.WriteString([]string{", in ", " and "}[min(i, 1)])
		b.WriteString(call.String())
	}
	return b.String()
}

// String is the report in a few lines for a person to read.
func (r ShutdownReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "stopped in %v: %v\n", r.Took.Round(100*time.Microsecond), r.Cause)
	if r.Finished > 0 {
		fmt.Fprintf(&b, "  finished: %s in flight\n", items(r.Finished))
	}
	fmt.Fprintf(&b, "  cancelled: %s in flight\n", items(len(r.Cancelled)))
	for _, w := range r.Cancelled {
		fmt.Fprintf(&b, "    %v\n", w)
	}
	for _, name := range sortedKeys(r.Queued) {
		if r.Queued[name] > 0 {
			fmt.Fprintf(&b, "  not started: %s in the queue of %s\n", items(r.Queued[name]), name)
		}
	}
	if len(r.Stragglers) == 0 {
		b.WriteString("  left running: nothing\n")
		return b.String()
	}
	fmt.Fprintf(&b, "  left running: %d\n", len(r.Stragglers))
	for _, w := range r.Stragglers {
		fmt.Fprintf(&b, "    %v\n", w)
		if w.Stack != "" {
			b.WriteString("      " + strings.ReplaceAll(w.Stack, "\n", "\n      ") + "\n")
		}
	}
	return b.String()
}

func items(n int) string {
	if n == 1 {
		return "1 item"
	}
	return fmt.Sprintf("%d items", n)
}

func sortedKeys(m map[string]int) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// ShutdownError is Run's error when something did not return in time. It names each straggler.
type ShutdownError struct {
	Report ShutdownReport
}

// Error names the stragglers.
func (e *ShutdownError) Error() string {
	lines := make([]string, len(e.Report.Stragglers))
	for i, w := range e.Report.Stragglers {
		lines[i] = w.String()
	}
	return fmt.Sprintf("not stopped %v after the end (%v): %s",
		e.Report.Took.Round(time.Millisecond), e.Report.Cause, strings.Join(lines, "; "))
}

// Unwrap gives the cause of the end.
func (e *ShutdownError) Unwrap() error { return e.Report.Cause }

// Report returns the account of the manager's end, once Run has returned.
func (m *Manager) Report() ShutdownReport {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.report
}

// noteEnd keeps an item that was in flight when the manager's end came, for the report.
func (m *Manager) noteEnd(unit *work.Unit, how outcome, err error) {
	w := describeWork(unit, unit.Cut())
	w.Err = err
	m.mu.Lock()
	defer m.mu.Unlock()
	if how == outcomeCancelled || len(w.Calls) > 0 {
		m.cancelled = append(m.cancelled, w)
	} else {
		m.finished++
	}
}

func (m *Manager) finishReport(cause error, took time.Duration) ShutdownReport {
	stragglers := stragglers(m.units.Live(), m.options.StragglerStacks)
	m.mu.Lock()
	defer m.mu.Unlock()
	queued := m.queuedBy(func(runner) bool { return true })
	m.report = ShutdownReport{Cause: cause, Took: took, Cancelled: m.cancelled, Finished: m.finished, Queued: queued, Stragglers: stragglers}
	return m.report
}

func (m *Manager) queuedBy(which func(runner) bool) map[string]int {
	queued := map[string]int{}
	for _, c := range m.controllers {
		if which(c) {
			queued[c.name()] = c.queued()
		}
	}
	return queued
}

// stragglers describes what is running. A controller is not named beside the items that hold it up, nor
// the one that leads beside the work of its term.
func stragglers(live []*work.Unit, withStacks bool) []Work {
	var stacks map[uint64]string
	if withStacks && len(live) > 0 {
		stacks = work.Stacks()
	}
	heldUp, leads := map[string]bool{}, false
	for _, unit := range live {
		heldUp[unit.Owner] = heldUp[unit.Owner] || unit.Kind == work.Item
		leads = leads || unit.Term != nil
	}
	var left []Work
	for _, unit := range live {
		if !(unit.Kind == work.Controller && heldUp[unit.Owner]) && !(unit.Kind == work.Leadership && leads) {
			w := describeWork(unit, unit.Outstanding())
			w.Stack = stacks[unit.GoroutineNumber()]
			left = append(left, w)
		}
	}
	return left
}

func describeWork(unit *work.Unit, calls []work.Call) Work {
	w := Work{Kind: string(unit.Kind), Owner: unit.Owner, Item: unit.Key, Age: time.Since(unit.Start)}
	for _, c := range calls {
		call := Call{Verb: c.Verb, Resource: c.Resource, Namespace: c.Namespace, Name: c.Name, Age: time.Since(c.Start), Waiting: c.Waiting}
		if c.Other != "" {
			call.Resource = c.Other
		}
		w.Calls = append(w.Calls, call)
	}
	return w
}
