// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// check is what is done to a program at rest, to see whether it leaves alone what it has made.
type check string

const (
	noCheck check = ""
	oneMore check = "one more reconcile at rest"
	restart check = "a restart at rest"
)

// judgeStable has the program reconcile all its objects once more, and then starts it again. It sees that there is
// nothing to write. The first finds what a process has remembered and should not have, which the second forgets.
func (s *scenario) judgeStable(ctx context.Context, right *reference) error {
	if err := s.reconcileAgain(ctx, right); err != nil || len(s.problems) > 0 {
		s.end(ctx)
		return err
	}
	before, err := s.world.look(ctx, s.namespace, s.resources())
	if err != nil {
		return err
	}
	s.end(ctx)
	s.set(func(t *tape) { t.check = restart; t.run++ })
	s.start(ctx)
	if err := s.settle(ctx, s.checkQuiet()); err != nil {
		return err
	}
	s.end(ctx)
	after, err := s.world.look(ctx, s.namespace, s.resources())
	if err != nil {
		return err
	}
	s.judgeNothing(before, after)
	s.judgeWrites(right, restart)
	return nil
}

// reconcileAgain changes an annotation of each object, and waits until the program is at rest again.
func (s *scenario) reconcileAgain(ctx context.Context, right *reference) error {
	all, err := s.world.look(ctx, s.namespace, s.resources())
	if err != nil {
		return err
	}
	s.set(func(t *tape) { t.check = oneMore })
	woken, err := s.world.wake(ctx, all)
	if err != nil || woken == 0 {
		return err
	}
	s.touch() // the program is to notice
	if err := s.settle(ctx, s.checkQuiet()); err != nil {
		return err
	}
	s.judgeWrites(right, oneMore)
	return nil
}

func (s *scenario) checkQuiet() time.Duration {
	if s.faultless {
		return s.options.Settle
	}
	return s.quietly
}

// wake sets an annotation of each object. It returns how many there were.
func (w *world) wake(ctx context.Context, all *snapshot) (woken int, err error) {
	patch := []byte(`{"metadata":{"annotations":{"faulttest.example.com/reconcile":"again"}}}`)
	for i := range all.objects {
		object := &all.objects[i]
		client, _, err := w.client.Kind(object.GroupVersionKind(), all.namespace)
		if err != nil {
			return woken, err
		}
		_, err = client.Patch(ctx, object.GetName(), mergePatch, patch, metav1.PatchOptions{FieldManager: manager})
		switch {
		case apierrors.IsNotFound(err), apierrors.IsForbidden(err), apierrors.IsInvalid(err): // gone, or not to be changed
		case err != nil:
			return woken, err
		default:
			woken++
		}
	}
	return woken, nil
}

// judgeNothing compares versions.
func (s *scenario) judgeNothing(before, after *snapshot) {
	versions := map[string]string{}
	for i := range before.objects {
		o := &before.objects[i]
		versions[o.GetKind()+" "+o.GetName()] = o.GetResourceVersion()
	}
	for i := range after.objects {
		o := &after.objects[i]
		name := o.GetKind() + " " + o.GetName()
		was, there := versions[name]
		delete(versions, name)
		switch {
		case !there:
			s.found(O2, "%s makes %s", restart, before.text(name))
		case was != o.GetResourceVersion():
			s.found(O2, "%s changes %s", restart, before.text(name))
		}
	}
	for name := range versions {
		s.found(O2, "%s deletes %s", restart, before.text(name))
	}
}

// judgeWrites compares what was written during a check with what is written then after a run without faults: a restart
// writes what has no effect, and one more reconcile what follows from the annotations.
func (s *scenario) judgeWrites(right *reference, during check) {
	if right.writes == nil { // this is a run without faults
		return
	}
	for target, n := range s.writes(during) {
		most := right.writes[during][target]
		if during == oneMore && most > 0 {
			continue // how many depends on how many changes a reconcile has seen at once
		}
		if n > most {
			s.found(O2, "%s sends %s, which it does not after a run without faults", during, target)
		}
	}
}

// writes are the writes during a check, by target.
func (s *scenario) writes(during check) map[string]int {
	writes := map[string]int{}
	for _, c := range s.all() {
		if c.check == during && c.write && !c.lease && !isEvent(c.resource) {
			writes[c.target]++
		}
	}
	return writes
}

// mostWrites are those of both runs.
func mostWrites(a, b *run) map[check]map[string]int {
	most := map[check]map[string]int{}
	for _, during := range []check{oneMore, restart} {
		most[during] = a.writes(during)
		for target, n := range b.writes(during) {
			most[during][target] = max(n, most[during][target])
		}
	}
	return most
}
