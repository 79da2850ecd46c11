// SPDX-License-Identifier: Apache-2.0

package leadership_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// patient are times that no test here waits for: what is learnt is learnt from the watch.
func (e *env) patient() {
	e.election.LeaseDuration, e.election.RenewDeadline, e.election.RetryPeriod = 60*time.Second, 40*time.Second, 20*time.Second
}

func TestC13ALeaderWhoseLeaseIsEditedOrDeletedStopsAtOnceAndOneLeadsAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(*env)
		want cause.TermEnd
		free bool // for anybody to take at once
	}{
		"deleted": {func(e *env) {
			e.must(e.admin.CoordinationV1().Leases(e.namespace).Delete(e.Context(), e.election.Name, metav1.DeleteOptions{}))
		}, cause.TermDeleted, true},
		"emptied": {func(e *env) {
			e.edit(func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("") })
		}, cause.TermReleased, true},
		"given to another": {func(e *env) {
			e.edit(func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("somebody") })
		}, cause.TermTaken, false},
		"with a shorter duration": {func(e *env) {
			e.edit(func(l *coordinationv1.Lease) { l.Spec.LeaseDurationSeconds = ptr.To[int32](1) })
		}, cause.TermEdited, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, 4, short)
			e.patient()
			a := e.lead(plane.Config())
			b := e.run(plane.Config(), e.options("b"))
			e.awaitWatch("a", "b")
			at := time.Now()
			c.do(e)
			a.awaitLoss(c.want)
			if took := a.last("lost").Sub(at); took > e.election.RetryPeriod/2 {
				t.Errorf("it noticed only after %v", took)
			}
			if !c.free {
				e.edit(func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("") })
			}
			eventually(t, "one of them leads again", func() error {
				if a.writing() || b.writing() {
					return nil
				}
				return errTestOver
			})
			a.end()
			b.end()
			e.assertOneWriter()
		})
	}
}

func (e *env) awaitWatch(names ...string) {
	e.Helper()
	for _, name := range names {
		eventually(e, name+" watches the lease", func() error {
			if !e.watching("replica/" + e.namespace + "/" + name) {
				return errTestOver
			}
			return nil
		})
	}
}

func TestC15TwoProcessesOfOneIdentityDoNotLeadTogetherAndSaySo(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 4, short)
	first := e.options("same")
	second := first
	second.Agent += "-2"
	a := e.run(plane.Config(), first)
	a.await("the first leads", a.writing)
	b := e.run(plane.Config(), second)
	b.await("the second says what is wrong", func() bool {
		return slices.ContainsFunc(b.log.all(), func(line string) bool {
			return strings.Contains(line, "Another process holds the lease under this identity: give each its own")
		})
	})
	if b.writing() || len(a.lost()) > 0 {
		t.Errorf("the second leads: %v; the first has lost: %v", b.writing(), a.lost())
	}
	a.end()
	b.await("the second leads once the first has ended", b.writing)
	b.end()
	e.assertOneWriter()
}
