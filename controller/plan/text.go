// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// String returns the plan as text for a person.
func (p *Plan) String() string {
	var b strings.Builder
	_ = p.Write(&b) // a Builder does not fail
	return b.String()
}

// Write writes the plan as text for a person.
func (p *Plan) Write(w io.Writer) error {
	t := &text{w: w}
	for i := range p.Changes {
		t.change(&p.Changes[i])
	}
	for i := range p.Stops {
		t.stop(&p.Stops[i])
	}
	for i := range p.Failures {
		t.failure(&p.Failures[i])
	}
	for _, name := range p.NotRun {
		t.line("not run in a dry run: %s", name)
	}
	t.line("%s", p.summary())
	return t.err
}

// summary returns the last line.
func (p *Plan) summary() string {
	counts := map[Action]int{}
	for i := range p.Changes {
		counts[p.Changes[i].Action] += p.Changes[i].Times
	}
	var words []string
	for _, action := range []Action{Create, Update, Delete} {
		if n := counts[action]; n > 0 {
			words = append(words, fmt.Sprintf("%d to %s", n, action))
		}
	}
	if len(words) == 0 {
		words = append(words, "nothing would change")
	}
	if n := len(p.Stops); n > 0 {
		words = append(words, fmt.Sprintf("%d not followed", n))
	}
	if n := len(p.Failures); n > 0 {
		words = append(words, fmt.Sprintf("%d failed", n))
	}
	return fmt.Sprintf("plan of %s: %s", plural(p.Reconciles, "reconcile"), strings.Join(words, ", "))
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// text writes lines until one fails.
type text struct {
	w   io.Writer
	err error
}

func (t *text) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format+"\n", args...)
	}
}

func (t *text) change(c *Change) {
	times := ""
	if c.Times > 1 {
		times = fmt.Sprintf(", %d times", c.Times)
	}
	t.line("%s %s (by %s%s)", c.Action, c.Object, c.Author, times)
	if c.Unread {
		t.line("    the fields are not known")
	}
	for _, field := range c.Fields {
		t.line("    %s", field)
	}
}

func (t *text) stop(s *Stop) {
	t.line("stopped (by %s): %s", s.Author, s)
	if s.Err != nil {
		t.line("    %s", oneLine(s.Err.Error()))
	}
}

func (t *text) failure(f *Failure) {
	if f.Verb == "" {
		t.line("failed (by %s): %s", f.Author, oneLine(f.Err.Error()))
		return
	}
	t.line("failed (by %s): %s %s", f.Author, f.Verb, f.Object)
	if f.Webhook != "" {
		t.line("    the admission webhook %s has side effects, and so no dry run", f.Webhook)
	}
	t.line("    %s", oneLine(f.Err.Error()))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// String returns the field in one line.
func (f Field) String() string {
	switch {
	case f.Hidden:
		return "~ " + f.Path + ": (hidden)"
	case f.Old == nil:
		return fmt.Sprintf("+ %s: %s", f.Path, value(f.New))
	case f.New == nil:
		return fmt.Sprintf("- %s: %s", f.Path, value(f.Old))
	}
	return fmt.Sprintf("~ %s: %s -> %s", f.Path, value(f.Old), value(f.New))
}

// longest is the number of bytes of a value that are printed.
const longest = 200

func value(v any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	encoded := strings.TrimSuffix(b.String(), "\n")
	if len(encoded) > longest {
		return strings.ToValidUTF8(encoded[:longest], "") + "..."
	}
	return encoded
}
