// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Oracle is a judgement of a scenario.
type Oracle string

// The oracles.
const (
	O1 Oracle = "O1, the end is that of a run without faults"
	O2 Oracle = "O2, at rest one more reconcile writes nothing, and neither does a restart"
	O3 Oracle = "O3, nothing is left over or made twice"
	O4 Oracle = "O4, nothing is written after the end, or without leadership"
	O5 Oracle = "O5, errors are told as errors, and cancellations as cancellations"
	O6 Oracle = "O6, no hot loop"
	O7 Oracle = "O7, nothing is left running"
)

// resources are those that calls write to, and those of the program's objects.
func (w *world) resources(calls []call, ignore []string) []schema.GroupResource {
	names := map[string]bool{}
	for _, o := range w.objects {
		if resource, err := w.client.ResourceOf(o.GroupVersionKind()); err == nil {
			names[resource.String()] = true
		}
	}
	for i := range calls {
		resource, _, _ := strings.Cut(calls[i].resource, "/")
		if calls[i].write && !calls[i].lease {
			names[resource] = true
		}
	}
	for _, never := range append([]string{"events", "events.events.k8s.io", "namespaces"}, ignore...) {
		delete(names, never)
	}
	resources := make([]schema.GroupResource, 0, len(names))
	for name := range names {
		resources = append(resources, schema.ParseGroupResource(name))
	}
	slices.SortFunc(resources, func(a, b schema.GroupResource) int { return strings.Compare(a.String(), b.String()) })
	return resources
}

// judge waits until the end is right, or the program has had its time, and has every oracle look.
func (s *scenario) judge(ctx context.Context, right *reference) error {
	differences, err := s.awaitRight(ctx, right)
	if err != nil {
		return err
	}
	s.judgeState(differences)
	s.judgeCalls(right)
	if len(s.problems) > 0 {
		s.end(ctx)
		return nil
	}
	return s.judgeStable(ctx, right)
}

// awaitRight returns how the state differs from the right one in the end.
func (s *scenario) awaitRight(ctx context.Context, right *reference) ([]difference, error) {
	began := time.Now()
	for {
		if err := s.settle(ctx, s.quietly); err != nil || len(s.problems) > 0 {
			return nil, err
		}
		if err := s.clean(ctx, s.quietly); err != nil || len(s.problems) > 0 {
			return nil, err
		}
		seen, err := s.world.look(ctx, s.namespace, s.resources())
		if err != nil {
			return nil, err
		}
		differences := seen.state(right.fixed).diff(right.state, right.mask)
		missed := s.missed()
		alike := len(differences) == 0 || missed.world().Mode != "" // what comes after an act that did not happen is not compared
		switch waited := s.idle(); {
		case alike && (len(missed) == 0 || waited > 10*s.quietly):
			return nil, nil
		case waited > s.options.Patience, time.Since(began) > 4*s.options.Patience:
			return differences, nil
		}
		if err := s.steps(ctx, s.quietly); err != nil {
			return nil, err
		}
	}
}

func (s *scenario) judgeState(differences []difference) {
	if len(differences) == 0 {
		return
	}
	swallowed := s.swallowed()
	for _, d := range differences {
		switch {
		case strings.Contains(d.text, "context canceled") || strings.Contains(d.text, "context deadline exceeded"):
			s.found(O5, "an end is told as an error: %s", d.text)
		case swallowed != "" && d.oracle == O1:
			s.found(O5, "%s; so in the end %s", swallowed, d.text)
		default:
			s.found(d.oracle, "%s", d.text)
		}
	}
}

// swallowed says which failed call a reconcile has ended without an error after. That is known of Lanyard only.
func (s *scenario) swallowed() string {
	ends := s.outcomes()
	calls := s.all()
	for i := range calls {
		c := &calls[i]
		if c.fault == "" || !c.fault.fails() || c.item == "" || !c.failed() {
			continue
		}
		end := slices.IndexFunc(ends, func(o outcome) bool { return o.object == c.item && o.at.After(c.ended) })
		if end < 0 || ends[end].result != "done" {
			continue
		}
		again := slices.ContainsFunc(calls[i+1:], func(later call) bool {
			return later.target == c.target && later.owner == c.owner && later.began.Before(ends[end].at)
		})
		if !again {
			return fmt.Sprintf("%s failed, and its reconcile ended without an error", c.target)
		}
	}
	return ""
}

// judgeCalls is about what was sent.
func (s *scenario) judgeCalls(right *reference) {
	calls := s.all()
	for i := range calls {
		c := &calls[i]
		if !c.write || c.lease || c.internal {
			continue
		}
		switch {
		case c.onEnded && c.status > 0:
			s.found(O4, "%s was sent with a context that had ended", c.target)
		case c.late && c.detached && c.status > 0:
			s.found(O4, "%s was begun after the program was told to end, with a context that does not end with it", c.target)
		case c.lost && c.status > 0 && (c.term || c.owner == "") && !isEvent(c.resource):
			s.found(O4, "%s was sent while somebody else held the Lease", c.target)
		case c.namespace != "" && !right.places[c.namespace]:
			s.found(O3, "%s writes to a namespace that no run without faults writes to", c.target)
		}
		if c.confesses {
			s.found(O5, "%s writes an end as an error: its body has the text %q", c.target, cancelled)
		}
	}
	for of, l := range s.long {
		if l.times > maxLong*max(1, right.count(of.target)) {
			s.found(O6, "%s, which failed, was tried more than %d times without a wait of %v", of.target, maxLong, backedOff)
		}
	}
}

func isEvent(resource string) bool { return resource == "events" || resource == "events.events.k8s.io" }

const cancelled = "context canceled"

// confesses reports whether a body has the text of an end.
func confesses(req *http.Request) bool {
	if req.GetBody == nil {
		return false
	}
	body, err := req.GetBody()
	if err != nil {
		return false
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, 1<<20))
	return err == nil && bytes.Contains(text, []byte(cancelled))
}
