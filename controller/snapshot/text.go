// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"fmt"
	"strings"
	"time"
)

// clock is the form of moments in texts. The zone is the one of the moment.
const clock = "15:04:05"

// Text returns the story in words, for a person to read: first what happens to the object now, then the reconciles
// that are known, the newest first.
func (s *Story) Text() string {
	var b strings.Builder
	kind, _, _ := strings.Cut(s.Kind, ".")
	fmt.Fprintf(&b, "%s %s, controller %s, at %s\n\n", kind, s.Object, s.Controller, s.At.Format(time.RFC3339))
	b.WriteString(s.summary() + "\n")
	for _, line := range s.now() {
		b.WriteString(line + "\n")
	}
	if len(s.Reconciles) == 0 {
		return b.String()
	}
	b.WriteString("\n")
	for i := len(s.Reconciles) - 1; i >= 0; i-- {
		b.WriteString(s.Reconciles[i].Text())
	}
	return b.String()
}

// summary says how often it was reconciled, and why.
func (s *Story) summary() string {
	n := len(s.Reconciles)
	if n == 0 {
		return "No reconcile of it is known."
	}
	since := s.At.Sub(s.Reconciles[0].Began)
	times := fmt.Sprintf("Reconciled %s in the last %s", counted(n, "time"), short(SecondsOf(since)))
	if s.Total > int64(n) {
		times = fmt.Sprintf("Reconciled %d times since %s. The last %d, in %s",
			s.Total, s.First.Format(clock), n, short(SecondsOf(since)))
	}
	return times + ": " + countWhy(s.Reconciles) + "."
}

// now says what happens to the object now.
func (s *Story) now() (lines []string) {
	if !s.Cached {
		lines = append(lines, "It is not in the controller's caches.")
	}
	switch s.Place {
	case "controller":
		lines = append(lines, "The controller does not work in this process now: it waits for leadership or for its caches.")
	case "slot":
		lines = append(lines, "Another replica has the slot of the object.")
	}
	if s.InFlight != nil {
		lines = append(lines, s.InFlight.Text())
	}
	switch {
	case s.Waiting != nil:
		lines = append(lines, s.Waiting.Text())
	case s.InFlight == nil:
		lines = append(lines, "It does not wait for anything: only an event leads to another reconcile.")
	}
	return lines
}

// Text says in a line what the item does.
func (i *Item) Text() string {
	line := fmt.Sprintf("It is being reconciled since %s (%s, attempt %d), because %s",
		i.Began.Format(clock), short(i.Age), i.Attempt, i.Why)
	if i.Stuck {
		line += "; it is STUCK: its time is over, and it has not returned"
	}
	for j := range i.Calls {
		line += []string{"; it is in ", " and "}[min(j, 1)] + i.Calls[j].String()
	}
	return line + "."
}

// Text says in a line what the item waits for.
func (w *Waiter) Text() string {
	until := ""
	if w.Until != nil {
		until = w.Until.Format(clock)
	}
	switch w.State {
	case ForTime:
		return fmt.Sprintf("It waits until %s, because %s.", until, w.Why)
	case ForRest:
		return fmt.Sprintf("It is held back until %s, because its reconciles trigger themselves: %s.", until, w.Why)
	case ForCache:
		return fmt.Sprintf("It waits until the caches show what was written, at the latest until %s: %s.", until, w.Why)
	case ForWorker:
	}
	return fmt.Sprintf("It waits for a worker since %s, because %s.", w.Since.Format(clock), w.Why)
}

// Text says in some lines how the reconcile went.
func (r *Reconcile) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s", r.Began.Format(clock), r.ended())
	fmt.Fprintf(&b, " after %s, because %s\n", short(r.Took), r.Why)
	if r.Attempt > 1 || r.Waited >= 1 {
		fmt.Fprintf(&b, "          attempt %d, waited %s for a worker\n", r.Attempt, short(r.Waited))
	}
	if r.Error != "" {
		fmt.Fprintf(&b, "          %s\n", r.Error)
	}
	if r.Calls > 0 {
		fmt.Fprintf(&b, "          %s%s\n", counted(r.Calls, "call"), writesText(r.Writes))
	}
	if r.Again != nil {
		fmt.Fprintf(&b, "          again at %s\n", r.Again.Format(clock))
	}
	return b.String()
}

func (r *Reconcile) ended() string {
	if r.Cause != "" {
		return r.Outcome + " (" + r.Cause + ")"
	}
	return r.Outcome
}

func writesText(writes []Write) string {
	if len(writes) == 0 {
		return ", nothing written"
	}
	words := make([]string, 0, len(writes))
	for i := range writes {
		words = append(words, writes[i].String())
	}
	return ": " + strings.Join(words, ", ")
}

// String returns the writes in a few words.
func (w Write) String() string {
	text := strings.TrimSpace(w.Verb + " " + w.Resource + " " + w.Name)
	if w.Attempts > 1 {
		text += fmt.Sprintf(" (%d times)", w.Attempts)
	}
	if w.WithoutEffect > 0 {
		text += fmt.Sprintf(" (%d without effect)", w.WithoutEffect)
	}
	if w.Unknown > 0 {
		text += fmt.Sprintf(" (%d with an unknown effect)", w.Unknown)
	}
	return text
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
