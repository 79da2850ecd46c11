// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Printer prints snapshots.
type Printer struct {
	Colours bool
	Items   int // of a controller that are printed; the rest is counted
}

// Print prints a snapshot as a tree.
func (p Printer) Print(w io.Writer, s *Snapshot) {
	var b strings.Builder
	state := s.State
	if s.Cause != "" {
		state = p.red(state + ": " + s.Cause)
	}
	fmt.Fprintf(&b, "%s at %s, %s\n", p.bold(s.Name), s.At.Local().Format("15:04:05"), state)
	for _, scope := range []struct{ key, title string }{
		{"always", "always"}, {"term", s.term()}, {"slots", s.slots()},
	} {
		first := true
		for i := range s.Controllers {
			if s.Controllers[i].Scope != scope.key {
				continue
			}
			if first {
				fmt.Fprintf(&b, "%s\n", scope.title)
			}
			first = false
			p.controller(&b, &s.Controllers[i])
		}
	}
	for i := range s.Caches {
		if c := &s.Caches[i]; !c.Synced || c.Failing > 0 || c.Error != "" {
			fmt.Fprintf(&b, "%s\n", p.red(fmt.Sprintf("cache of %s: not fed for %s %s", c.Kind, length(c.Failing), c.Error)))
		}
	}
	d := s.Shutdown
	fmt.Fprintf(&b, "a shutdown now: %d cancelled, %d cut-off writes, %d with time to finish, %d not started\n",
		d.Cancelled, d.Writes, d.Finishing, d.NotStarted)
	_, _ = io.WriteString(w, b.String()) // there is nobody else to tell
}

func (s *Snapshot) term() string {
	switch {
	case s.Leadership == nil:
		return "term"
	case !s.Leadership.Leads:
		return "term of the Lease " + s.Leadership.Lease + ": this process does not lead"
	}
	return fmt.Sprintf("term of the Lease %s: this process leads, %s left", s.Leadership.Lease, length(s.Leadership.Left))
}

func (s *Snapshot) slots() string {
	switch {
	case s.Shards == nil:
		return "slots"
	case s.Shards.Refused != "":
		return "slots: " + s.Shards.Refused
	}
	return fmt.Sprintf("slots: %d of %d, %s left", len(s.Shards.Held), s.Shards.Total, length(s.Shards.Left))
}

func (p Printer) controller(b *strings.Builder, c *Controller) {
	working := ""
	if !c.Serving {
		working = ", not working"
	}
	fmt.Fprintf(b, "  %s (%s%s): %d of %d workers busy; queue: %d ready, %d delayed, %d waiting for caches\n",
		p.bold(c.Name), c.Kind, working, len(c.InFlight), c.Workers, c.Queue.Ready, c.Queue.Delayed, c.Queue.Parked)
	for i := range c.InFlight {
		if i == p.Items {
			fmt.Fprintf(b, "    and %d more\n", len(c.InFlight)-i)
			break
		}
		fmt.Fprintf(b, "    %s\n", p.item(&c.InFlight[i]))
	}
}

func (p Printer) item(i *Item) string {
	line := fmt.Sprintf("%s  %s, %s left", join(i.Namespace, i.Name), length(i.Age), length(i.Left))
	if i.Attempt > 1 {
		line += fmt.Sprintf(", attempt %d", i.Attempt)
	}
	line += ", " + strings.ReplaceAll(i.Why.Reason, "_", " ")
	for j := range i.Calls {
		line += []string{", in ", " and "}[min(j, 1)] + i.Calls[j].String()
	}
	if i.Stuck {
		return p.red(line + ", STUCK")
	}
	return line
}

// String returns the call in a few words.
func (c Call) String() string {
	target := c.Resource
	switch {
	case c.Verb == "":
		return "a call (" + c.Phase + ")"
	case c.Path != "":
		target = c.Path
	case c.Name != "":
		target += " " + join(c.Namespace, c.Name)
	}
	return fmt.Sprintf("%s %s (%s, %s)", c.Verb, target, c.Phase, length(c.Age))
}

func join(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

// length returns a length of time in seconds for people.
func length(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d.Abs() < 10*time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func (p Printer) bold(text string) string { return p.colour("1", text) }
func (p Printer) red(text string) string  { return p.colour("31", text) }

func (p Printer) colour(code, text string) string {
	if !p.Colours {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
