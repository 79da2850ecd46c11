// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Shutdown is the report of how a manager shut down.
type Shutdown struct {
	// Cause is why the manager ended. See package cause.
	Cause error
	// Took is the time from the end of the contexts to the return of Run.
	Took time.Duration
	// Cancelled lists the items that were in flight when the shutdown began and were cancelled, and
	// those with a call that was cut short. A write that was cut short may or may not have been
	// applied.
	Cancelled []Work
	// Finished is the number of items that were in flight when the shutdown began and were not
	// cancelled, whether they succeeded or failed.
	Finished int
	// Queued is the number of items that were still waiting, by controller.
	Queued map[string]int
	// Stragglers lists the work that had not returned when ShutdownTimeout was over.
	Stragglers []Work
}

// String returns the report in a few lines for a person to read.
func (r Shutdown) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "stopped in %v: %v\n", r.Took.Round(100*time.Microsecond), r.Cause)
	if r.Finished > 0 {
		fmt.Fprintf(&b, "  finished: %s in flight\n", items(r.Finished))
	}
	fmt.Fprintf(&b, "  cancelled: %s in flight\n", items(len(r.Cancelled)))
	for _, w := range r.Cancelled {
		fmt.Fprintf(&b, "    %v\n", w)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Queued)) {
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
