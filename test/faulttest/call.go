// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/test/internal/target"
)

// call is a request of the program.
type call struct {
	point
	resource  string // with its subresource
	namespace string // "" for the scenario's own
	watch     bool
	lease     bool
	internal  bool // an informer, discovery: not part of what the program does for an object

	item string // namespace/name of the object that is reconciled; "" if that is not known
	term bool   // a write that needs leadership

	run     int   // the number of the process by which the call was made, from 0
	late    bool  // begun after the process was told to end
	onEnded bool  // with a context that had ended
	check   check // during which it was made
	lost    bool  // leadership is somebody else's

	confesses bool // it writes the text of an end
	detached  bool // its context had not ended when the answer came

	began, ended time.Time // ended is zero while it is outstanding
	status       int       // 0: no answer
	err          error
	fault        Mode // what happened to it; "" for nothing
}

// point is a call that faults can be put at.
type point struct {
	phase  phase
	owner  string
	target string
	n      int // of the owner
	any    int // of any owner
	write  bool
}

// generated is the end of a name that the API server has made up.
var generated = regexp.MustCompile(`-[bcdfghjklmnpqrstvwxz2456789]{5}$`)

// describe says what a request is, in a scenario's namespace.
func describe(req *http.Request, namespace string) *call {
	t := target.Of(req)
	c := &call{watch: t.Verb == "watch", resource: t.Resource, began: time.Now(), onEnded: req.Context().Err() != nil}
	resource, _, _ := strings.Cut(t.Resource, "/")
	c.lease = resource == "leases.coordination.k8s.io"
	c.write = !t.ReadOnly() && t.Resource != ""
	c.confesses = c.write && confesses(req)
	if t.Namespace != namespace {
		c.namespace = t.Namespace
	}
	c.target = nameOf(t, namespace)
	c.whose(req, namespace)
	if c.owner == "" && t.Verb == "list" && strings.Contains(req.URL.RawQuery, "resourceVersion=") {
		c.internal = true // the list of an informer
	}
	c.internal = c.internal || c.watch || c.lease || t.Resource == ""
	return c
}

// nameOf is what is the same in each scenario.
func nameOf(t target.Target, namespace string) string {
	if t.Namespace == namespace {
		t.Namespace = ""
	}
	if t.Name == namespace {
		t.Name = "<namespace>"
	}
	t.Name = generated.ReplaceAllString(t.Name, "-*")
	return t.String()
}

// whose finds out on whose behalf a call is made, if its context says so.
func (c *call) whose(req *http.Request, namespace string) {
	work, known := controller.WorkFrom(req.Context())
	if !known {
		return
	}
	_, c.term = controller.TermFrom(req.Context())
	c.term = c.term && c.write
	c.owner = work.Owner
	switch work.Kind {
	case report.Item:
		item := work.Item
		c.item = item.String()
		if item.Namespace == namespace {
			item.Namespace = ""
		}
		c.owner += " " + generated.ReplaceAllString(strings.ReplaceAll(item.String(), namespace, "<namespace>"), "-*")
	case report.Informer, report.Leadership, report.Controller:
		c.internal = true
	}
}

// failed reports whether the program saw the call fail.
func (c *call) failed() bool { return c.err != nil || c.status >= 400 }

// String is the call and what came of it, for a person to read.
func (c *call) String() string {
	words := c.target
	if c.owner != "" {
		words += " (for " + c.owner + ")"
	}
	switch {
	case c.ended.IsZero():
		words += ": outstanding"
	case c.err != nil:
		words += ": " + c.err.Error()
	default:
		words += fmt.Sprintf(": %d", c.status)
	}
	if c.fault != "" {
		words += "   <- " + string(c.fault)
	}
	return words
}

// key is what two runs have in common of a call.
type key struct {
	phase  phase
	owner  string
	target string
	n      int
}

func (p *point) key() key { return key{p.phase, p.owner, p.target, p.n} }

// fault puts a mode at a point. The owner is named only if others make such calls, too.
func (p *point) fault(mode Mode, owners map[string]int) Fault {
	f := Fault{phase: p.phase, target: p.target, n: p.n, Mode: mode}
	if owners[p.target] > 1 {
		f.owner = p.owner
	}
	return f
}

// at reports whether a fault is put at a point.
func (f *Fault) at(p *point) bool {
	return f.phase == p.phase && f.target == p.target && (f.owner == "" && f.n == p.any || f.owner == p.owner && f.n == p.n)
}

// ownersOf counts the owners that make calls of each target.
func ownersOf(points []point) map[string]int {
	seen := map[string]map[string]bool{}
	for _, p := range points {
		if seen[p.target] == nil {
			seen[p.target] = map[string]bool{}
		}
		seen[p.target][p.owner] = true
	}
	counts := map[string]int{}
	for t, owners := range seen {
		counts[t] = len(owners)
	}
	return counts
}
