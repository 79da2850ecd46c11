// SPDX-License-Identifier: Apache-2.0

package leadership_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/test/e2e/leadership/writer"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

func TestC5AHundredItemsInFlightAreCancelledByALossOfLeadershipAndReconciledLater(t *testing.T) {
	t.Parallel()
	const items = 100
	e := newEnv(t, items, steady)
	proxy := shutdowntest.NewProxy(t, plane.Config())
	election := e.election
	election.Identity = "a"
	m := controller.NewManager(writer.Mark(proxy.Config(), "replica/"+e.namespace+"/a"), controller.ManagerOptions{LeaderElection: &election, Connections: 2})
	kube := kubernetes.NewForConfigOrDie(m.Config())
	factory := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(kube, 0, informers.WithNamespace(e.namespace),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = writer.Target })))
	causes := make(chan error, items)
	c := controller.New(m, "c", factory.Core().V1().ConfigMaps().TypedInformer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		term, _ := controller.TermFrom(ctx)
		patch := []byte(`{"data":{"term":"` + strconv.Itoa(term.Number) + `"}}`)
		_, err := kube.CoreV1().ConfigMaps(e.namespace).Patch(ctx, cm.Name, types.MergePatchType, patch, metav1.PatchOptions{})
		if err != nil {
			select {
			case causes <- err:
			default: // of a later loss, on a machine that is too busy to renew in time
			}
		}
		return controller.Result{}, err
	}, controller.Options{Workers: items})
	rule := proxy.Add(shutdowntest.Match{Verb: "patch", Resource: "configmaps"}, shutdowntest.Stall())
	end := e.runManager(m)
	rule.Await(items)
	first, _ := m.CurrentTerm()
	e.edit(func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("somebody") })
	for range items {
		err := <-causes
		var ended *cause.TermEnded
		if !errors.Is(err, cause.LeadershipLost) || !errors.Is(err, context.Canceled) || !errors.As(err, &ended) || ended.How != cause.TermTaken || ended.Number != first.Number {
			t.Fatalf("a call ended with %v", err)
		}
	}
	rule.Release()
	e.awaitTerm(m, func(n int) bool { return n > first.Number }, items)

	last, ok := m.LastTerm()
	if !ok || last.Term != first || len(last.Cancelled) != items || len(last.Stragglers) > 0 || !errors.Is(last.Cause, cause.LeadershipLost) {
		t.Errorf("the account of the term is not right: %v, %v", ok, last)
	}
	stats := c.Stats()
	if stats.Failures() != 0 || stats.Cancelled["leadership_lost"] != items {
		t.Errorf("%d failures, cancelled: %v", stats.Failures(), stats.Cancelled)
	}
	t.Logf("%d items in flight, all work of the term had returned after %v", items, last.Took)
	end()
	for _, w := range m.Report().Cancelled { // those that its own patches have brought up again
		if errors.Is(w.Err, cause.LeadershipLost) {
			t.Errorf("the manager's own report has an item of the term before: %v", w)
		}
	}
}

// awaitTerm waits until all targets have been written in a term for which that holds.
func (e *env) awaitTerm(m *controller.Manager, right func(number int) bool, targets int) {
	e.Helper()
	eventually(e, "everything is reconciled in a later term", func() error {
		maps, err := e.admin.CoreV1().ConfigMaps(e.namespace).List(e.Context(), metav1.ListOptions{LabelSelector: writer.Target})
		if err != nil {
			return err
		}
		done := 0
		for i := range maps.Items {
			if n, err := strconv.Atoi(maps.Items[i].Data["term"]); err == nil && right(n) {
				done++
			}
		}
		if _, leads := m.CurrentTerm(); done != targets || !leads {
			return errors.New(strconv.Itoa(done) + " are")
		}
		return nil
	})
}

func TestC18AWriteThatTheAPIServersFenceRefusesEndsTheTermWithItsMessage(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 4, short)
	config := e.fenced("a")
	e.patient()
	proxy := shutdowntest.NewProxy(t, config)
	a := e.lead(proxy.Config())
	// It hears nothing of the lease any more, while somebody gives it away.
	deaf := proxy.Add(shutdowntest.Match{Resource: leases}, shutdowntest.Stall())
	proxy.Disconnect()
	a.await("a writes again, on new connections", func() bool { return deaf.Outstanding() > 0 })
	e.edit(func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("b") })
	a.awaitLoss(cause.TermRefused)
	detail := a.lost()[0].Detail
	for _, want := range []string{
		"the API server's fence refused a write: fenced by lease " + e.namespace + "/" + e.election.Name,
		"pod a does not hold it, pod b does; stop what needs leadership", "holderIdentity=b",
	} {
		if !strings.Contains(detail, want) {
			t.Errorf("the end does not say %q: %s", want, detail)
		}
	}
	deaf.Release()
	e.edit(func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("") })
	a.await("a leads again", a.writing)
	a.end()
}

func TestC18AnIdentityThatIsNotThePodsNeverLeadsAndIsToldWhy(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 1, short)
	config := e.fenced("a")
	b := e.run(config, e.options("not-a"))
	b.await("the log says why", func() bool {
		return strings.Contains(strings.Join(b.log.all(), "\n"), "the holder's identity must be the pod's name")
	})
	if b.writing() {
		t.Error("it leads")
	}
	b.end()
}

// runManager runs a manager until the test, or the caller, ends it.
func (e *env) runManager(m *controller.Manager) (end func()) {
	e.Helper()
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(e.Context()))
	done := make(chan error, 1)
	go func() { done <- m.Run(quiet(ctx)) }()
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		cancel(errTestOver)
		select {
		case err := <-done:
			if err != nil {
				e.Error(err)
			}
		case <-time.After(time.Minute):
			e.Error("Run has not returned")
		}
	}
	e.Cleanup(end)
	return end
}
