// SPDX-License-Identifier: Apache-2.0

package leadership_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/e2e/leadership/writer"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

// perConnection is how many calls one connection carries (see Options.Connections).
const perConnection = 90

// The test runs alone: it is about the load of its own thousand calls, and not about that of other tests' processes.
func TestC25WithAThousandCallsOutstandingTheConnectionsAreFewAndTheLeaseStaysHeld(t *testing.T) {
	const calls = 1000
	e := newEnv(t, calls, short)
	proxy := shutdowntest.NewProxy(t, plane.Config())
	config := writer.Mark(proxy.Config(), "replica/"+e.namespace+"/a")
	election := e.election
	election.Identity = "a"
	m := controller.NewManager(config, controller.ManagerOptions{
		LeaderElection: &election, Connections: 1, CallTimeouts: controller.CallTimeouts{Read: -1, Write: -1},
	})
	kube := kubernetes.NewForConfigOrDie(m.Config())
	factory := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(kube, 0, informers.WithNamespace(e.namespace),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = writer.Target })))
	var number, inFlight, events atomic.Int64
	maps := kube.CoreV1().ConfigMaps(e.namespace)
	controller.New(m, "busy", factory.Core().V1().ConfigMaps().TypedInformer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		inFlight.Add(1)
		defer inFlight.Add(-1)
		var err error
		if number.Add(1)%2 == 0 {
			_, err = maps.Get(ctx, cm.Name, metav1.GetOptions{})
		} else {
			_, err = maps.Patch(ctx, cm.Name, types.MergePatchType, []byte(`{"data":{"by":"a"}}`), metav1.PatchOptions{})
		}
		return controller.Result{}, err
	}, controller.Options{Workers: calls})
	secrets := factory.Core().V1().Secrets().TypedInformer()
	controller.New(m, "watching", secrets, func(context.Context, *corev1.Secret) (controller.Result, error) {
		events.Add(1)
		return controller.Result{}, nil
	}, controller.Options{EveryReplica: true})
	reads := proxy.Add(shutdowntest.Match{Verb: "get", Resource: "configmaps"}, shutdowntest.Stall())
	writes := proxy.Add(shutdowntest.Match{Verb: "patch", Resource: "configmaps"}, shutdowntest.Stall())
	end := e.runManager(m)
	reads.Await(perConnection)
	writes.Await(perConnection)
	eventually(t, "all workers are in a call", func() error {
		if n := inFlight.Load(); n != calls {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})

	term, _ := m.CurrentTerm()
	for renewed := e.renewals(3 * short.LeaseDuration); ; time.Sleep(20 * time.Millisecond) {
		if n, limit := reads.Outstanding()+writes.Outstanding(), 2*perConnection; n > limit {
			t.Fatalf("%d calls are on two connections, want %d at most", n, limit)
		}
		if renewed() {
			break
		}
	}
	now, leads := m.CurrentTerm()
	if !leads || now.Number != term.Number {
		t.Errorf("the lease was not held: term %v, then %v (%v)", term, now, leads)
	}
	// One each for the lease, for watches, for reads and for the writes of the term; another only while one of
	// them is replaced.
	const documented = 4
	open, peak := proxy.Connections()
	t.Logf("%d reconciles in a call each, %d calls at the server, %d connections, %d at most, term %v held for %v",
		inFlight.Load(), reads.Outstanding()+writes.Outstanding(), open, peak, now, time.Since(now.Began).Round(time.Millisecond))
	if open > documented || peak > documented+1 {
		t.Errorf("%d connections are open and were %d at most, want %d", open, peak, documented)
	}

	// An event reaches its controller although everything else waits.
	_, err := e.admin.CoreV1().Secrets(e.namespace).Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "new", Labels: map[string]string{"leadership-test": "target"}}}, metav1.CreateOptions{})
	e.must(err)
	eventually(t, "the event has come", func() error {
		if events.Load() == 0 {
			return errTestOver
		}
		return nil
	})
	end()
	waiting := 0
	for _, w := range m.Report().Cancelled {
		for _, call := range w.Calls {
			if call.Waiting {
				waiting++
			}
		}
	}
	t.Logf("the report has %d items, %d of them with calls that waited for room", len(m.Report().Cancelled), waiting)
	// Some of them get, for a moment, the room that the others leave at the end.
	if n := len(m.Report().Cancelled); n != calls || waiting < calls/2 || waiting > calls-2*perConnection {
		t.Errorf("the report has %d items, %d of them waiting, want %d and about %d", n, waiting, calls, calls-2*perConnection)
	}
}

// renewals reports whether the lease has been renewed for so long.
func (e *env) renewals(long time.Duration) func() bool {
	e.Helper()
	at := func() time.Time {
		lease, err := e.admin.CoordinationV1().Leases(e.namespace).Get(e.Context(), e.election.Name, metav1.GetOptions{})
		e.must(err)
		return lease.Spec.RenewTime.Time
	}
	first, deadline := at(), time.Now().Add(2*time.Minute)
	return func() bool {
		if time.Now().After(deadline) {
			e.Fatalf("the lease has not been renewed for %v", long)
		}
		return at().Sub(first) >= long
	}
}
