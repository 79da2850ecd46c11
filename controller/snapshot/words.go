// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// String says in a few words why an item is reconciled, such as "its Deployment default/web changed its status".
func (w Why) String() string {
	if w.By == nil {
		return reasonWords(w.Reason)
	}
	words := w.By.String()
	if w.Reason == "superseded" {
		words = reasonWords(w.Reason) + ": " + words
	}
	if w.Events > 1 {
		words += fmt.Sprintf(", and %d more", w.Events-1)
	}
	return words
}

// String says in a few words what has happened.
func (t Trigger) String() string {
	subject := t.subject()
	own := ""
	if t.Own {
		own = ", which it had written itself"
	}
	switch t.Change {
	case "created":
		return subject + " was created" + own
	case "deleted":
		return subject + " was deleted"
	case "deleting":
		return subject + " is being deleted"
	case "spec":
		return "the spec of " + subject + " changed" + own
	case "status":
		return "the status or the metadata of " + subject + " changed" + own
	}
	return subject + " changed" + own
}

func (t Trigger) subject() string {
	if t.Self {
		return "the object itself"
	}
	return t.Kind + " " + t.Object.String()
}

func reasonWords(reason string) string {
	switch reason {
	case "object_changed":
		return "the object itself changed"
	case "related_changed":
		return "a related object changed"
	case "start_up":
		return "it existed when the controller started"
	case "resync":
		return "a resync, without a change"
	case "requeue_after":
		return "its last reconcile had asked for it"
	case "retry":
		return "its last reconcile had failed"
	case "external":
		return "a source that is no informer"
	case "slot_gained":
		return "its slot has come to this process"
	case "superseded":
		return "it changed while it was being reconciled"
	}
	return reason
}

// group is a short name for reasons that are counted together.
func (w Why) group() string {
	switch {
	case w.By != nil && w.By.Self && w.By.Own:
		return "by what it had written to itself"
	case w.By != nil && w.By.Self:
		return "by a change of itself"
	case w.By != nil:
		return "by " + w.By.Kind
	case w.Reason == "retry":
		return "by retry"
	case w.Reason == "requeue_after":
		return "as it had asked"
	case w.Reason == "start_up":
		return "at the start"
	}
	return "because " + reasonWords(w.Reason)
}

// countWhy counts reconciles by why they ran, as "9 by Deployment, 3 by retry".
func countWhy(reconciles []Reconcile) string {
	counts := map[string]int{}
	for i := range reconciles {
		counts[reconciles[i].Why.group()]++
	}
	groups := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	words := make([]string, 0, len(groups))
	for _, group := range groups {
		words = append(words, fmt.Sprintf("%d %s", counts[group], group))
	}
	return strings.Join(words, ", ")
}

// String returns the call in a few words.
func (c Call) String() string {
	if c.Verb == "" {
		return "a call that is " + c.Phase.String()
	}
	words := []string{c.Verb, c.Resource}
	switch {
	case c.Path != "":
		words[1] = c.Path
	case c.Name != "":
		words = append(words, Object{Namespace: c.Namespace, Name: c.Name}.String())
	case c.Namespace != "":
		words = append(words, "in", c.Namespace)
	}
	return strings.Join(words, " ") + " (" + c.Phase.String() + ", " + short(c.Age) + ")"
}

// String says in a few words how far a call has come.
func (p Phase) String() string {
	switch p {
	case Waiting:
		return "waiting for room on a connection"
	case Throttled:
		return "held back by a rate limit"
	case Fenced:
		return "waiting for the fence in the API server"
	case Preparing:
		return "about to be sent"
	case Sent:
		return "sent, no answer yet"
	case Reading:
		return "reading the answer"
	}
	return string(p)
}

// short returns a length of time for people.
func short(s Seconds) string {
	d := s.Duration()
	switch {
	case d < time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d < 10*time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}
