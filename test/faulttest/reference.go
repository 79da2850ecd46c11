// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// reference is what two runs without faults have in common.
type reference struct {
	state   state
	mask    map[string]bool            // fields, by object and path, that differ between the two
	fixed   map[string]map[string]bool // names that do not, by group, of groups with others
	points  []point
	calls   int
	writes  map[check]map[string]int
	places  map[string]bool // namespaces that are written to, besides the scenario's own
	leads   bool            // the program works with a Lease
	tells   bool            // its calls say whose they are, as those of Lanyard do
	watches map[string]bool // that each process begins
	took    time.Duration
}

// count is how many calls of a target there are.
func (r *reference) count(target string) (n int) {
	for i := range r.points {
		if r.points[i].target == target {
			n++
		}
	}
	return n
}

// story is what happens in a run without faults: the phases up to one, and what somebody else does at the end.
type story struct {
	until phase
	then  Mode
}

// run is a run without faults.
type run struct {
	*scenario
	seen *snapshot
	took time.Duration
}

// refer makes the reference for a story.
func (x *explorer) refer(ctx context.Context, of story) (*reference, error) {
	var runs [2]*run
	var errs [2]error
	var both sync.WaitGroup
	for i := range runs {
		both.Go(func() { runs[i], errs[i] = x.referOnce(ctx, of) })
		if x.options.Parallel == 1 {
			both.Wait()
		}
	}
	both.Wait()
	if runs[0] != nil && runs[1] != nil {
		others := runs[1].sleeps()
		for at, text := range runs[0].sleeps() {
			if _, both := others[at]; both { // once, it may be the machine
				return nil, errInput{errors.New(text)}
			}
		}
	}
	if errs[0] != nil || errs[1] != nil { // the same, most often
		return nil, cmp.Or(errs[0], errs[1])
	}
	a, b := runs[0], runs[1]
	r := &reference{mask: map[string]bool{}, calls: a.number(), writes: mostWrites(a, b), places: map[string]bool{}, took: a.took}
	r.leads = len(a.leases) > 0
	r.watches = a.watchesOfAll()
	for _, c := range append(a.all(), b.all()...) {
		r.tells = r.tells || c.owner != ""
		if c.write && c.namespace != "" {
			r.places[c.namespace] = true
		}
	}
	if err := r.compareStates(a.seen, b.seen); err != nil {
		return nil, err
	}
	return r, r.comparePoints(a.points(), b.points())
}

func (x *explorer) referOnce(ctx context.Context, of story) (_ *run, err error) {
	s, err := x.newScenario(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.remove(ctx, s)) }()
	began := time.Now()
	if err = s.tell(ctx, of.until, x.options.Settle); err == nil && of.then != "" {
		s.touch() // the program is to notice
		if err = s.do(ctx, of.then); err == nil {
			err = s.settle(ctx, x.options.Settle)
		}
		if err == nil {
			err = s.clean(ctx, x.options.Settle)
		}
	}
	r := &run{scenario: s, took: time.Since(began)}
	if err == nil && len(s.problems) == 0 {
		if of == (story{until: afterDeletion}) { // once is enough
			if err = s.otherClient(ctx); err != nil {
				s.end(ctx)
				return nil, err
			}
		}
		if r.seen, err = s.world.look(ctx, s.namespace, s.resources()); err == nil {
			s.judgeCalls(&reference{places: anywhere(s.all())})
			err = s.judgeStable(ctx, &reference{})
		}
	} else {
		s.end(ctx)
	}
	if err == nil {
		err = s.inputError()
	}
	return r, err
}

func anywhere(calls []call) map[string]bool {
	places := map[string]bool{}
	for i := range calls {
		places[calls[i].namespace] = true
	}
	return places
}

// inputError says what is wrong without any fault.
func (s *scenario) inputError() error {
	for _, p := range s.problems {
		switch p.oracle {
		case O6:
			return errInput{fmt.Errorf("without any fault the program is never at rest: %w; "+
				"a reconcile that finds nothing to do must end, and write nothing", p)}
		case O2:
			return errInput{fmt.Errorf("without any fault the program does not leave alone what it has made: %w; "+
				"write only what differs from what is there", p)}
		default:
			return errInput{fmt.Errorf("without any fault: %s: %w", p.oracle, p)}
		}
	}
	if s.process.err != nil {
		return errInput{fmt.Errorf("without any fault Run returned, when it was told to end: %w", s.process.err)}
	}
	calls := s.all()
	if len(calls) == 0 {
		return errInput{errors.New("the program has made no call with the config that Run is given: make its clients from that one")}
	}
	return nil
}

// longSleep is how long a reconcile may do nothing between two calls.
const longSleep = time.Second

// sleeps says where reconciles do nothing for long, by the calls before and after. It is known of Lanyard only.
func (s *scenario) sleeps() map[string]string {
	found := map[string]string{}
	ends := s.outcomes()
	last := map[string]call{} // by item
	for _, c := range s.all() {
		if c.item == "" || c.internal {
			continue
		}
		before, known := last[c.owner]
		last[c.owner] = c
		if !known || before.ended.IsZero() || c.run != before.run {
			continue
		}
		between := slices.ContainsFunc(ends, func(o outcome) bool {
			return o.object == c.item && o.at.After(before.began) && o.at.Before(c.began)
		})
		if gap := c.began.Sub(before.ended); gap > longSleep && !between {
			found[before.target+" "+c.target] = fmt.Sprintf("the reconcile of %s sleeps, or works, for %v between %s and %s: "+
				"return a Result with RequeueAfter in place of a sleep", c.owner, gap.Round(time.Millisecond), before.target, c.target)
		}
	}
	return found
}

// watchesOfAll returns what each process watches.
func (s *scenario) watchesOfAll() map[string]bool {
	processes := map[string]map[int]bool{}
	for _, c := range s.all() {
		if c.watch && !c.lease {
			if processes[c.target] == nil {
				processes[c.target] = map[int]bool{}
			}
			processes[c.target][c.run] = true
		}
	}
	watches := map[string]bool{}
	for target, by := range processes {
		if len(by) == s.tape.run+1 {
			watches[target] = true
		}
	}
	return watches
}

// compareStates finds out what differs without a fault.
func (r *reference) compareStates(a, b *snapshot) error {
	r.fixed = generatedGroups(a.state(nil), b.state(nil))
	first, second := a.state(r.fixed), b.state(r.fixed)
	for _, d := range second.diff(first, nil) {
		if d.path == "" || d.path == "owner" {
			return errInput{fmt.Errorf("two runs without a fault end differently, so nothing can be compared with them: in the second, %s; "+
				"make the program do the same each time, or name the resource in Options.Ignore", d.text)}
		}
		r.mask[d.key+"\x00"+d.path] = true
	}
	r.state = first
	return nil
}

// generatedGroups returns the groups of objects whose names differ, with the names that do not.
func generatedGroups(a, b state) map[string]map[string]bool {
	fixed := map[string]map[string]bool{}
	count := map[string]int{}
	for _, each := range []struct {
		these, others state
		change        int
	}{{a, b, 1}, {b, a, -1}} {
		for key, o := range each.these {
			if each.others[key] == nil {
				fixed[o.group()] = map[string]bool{}
				count[o.group()] += each.change
			}
		}
	}
	for key, o := range a {
		if names := fixed[o.group()]; names != nil && b[key] != nil {
			names[o.name] = true
		}
	}
	for group, difference := range count {
		if difference != 0 { // one run has made more of them
			delete(fixed, group)
		}
	}
	return fixed
}

// otherClient looks for what this process has written without the config of Run, by the name that client-go gives to
// a field manager.
func (s *scenario) otherClient(ctx context.Context) error {
	self := filepath.Base(os.Args[0])
	self = self[:min(len(self), 128)]
	written := map[string]bool{}
	for _, c := range s.all() {
		if resource, _, _ := strings.Cut(c.resource, "/"); c.write {
			written[resource] = true
		}
	}
	seen, err := s.world.look(ctx, s.namespace, s.world.client.Namespaced())
	if err != nil {
		return err
	}
	for i := range seen.objects {
		o := &seen.objects[i]
		resource, err := s.world.client.ResourceOf(o.GroupVersionKind())
		if err != nil || written[resource.String()] {
			continue
		}
		if slices.ContainsFunc(o.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool { return f.Manager == self }) {
			return errInput{fmt.Errorf("%s %s was written by this process, but not with the config that Run is given: make all clients from that one",
				o.GetKind(), o.GetName())}
		}
	}
	return nil
}

// comparePoints keeps the calls that both runs have made.
func (r *reference) comparePoints(a, b []point) error {
	other := map[key]bool{}
	for i := range b {
		other[b[i].key()] = true
	}
	var missing []string
	for i := range a {
		if other[a[i].key()] {
			r.points = append(r.points, a[i])
		} else {
			missing = append(missing, a[i].target)
		}
	}
	if len(a) > 0 && 2*len(r.points) < len(a) {
		return errInput{fmt.Errorf("two runs without a fault make different calls, so the n-th call is not the same call: "+
			"%d of %d are in both; only one makes, for example, %s; make the program do the same each time",
			len(r.points), len(a), strings.Join(slices.Compact(slices.Sorted(slices.Values(missing)))[:1], ", "))}
	}
	return nil
}
