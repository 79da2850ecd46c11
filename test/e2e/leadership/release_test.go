// SPDX-License-Identifier: Apache-2.0

package leadership_test

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/e2e/leadership/writer"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

// In the drain mode an item may take its time after the end. Until it has returned the lease is held, and
// renewed, also for longer than a lease lasts.
func TestC15TheLeaseIsReleasedOnlyWhenTheLastItemHasReturned(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 1, short)
	e.election.LeaseDuration, e.election.RenewDeadline = 5*time.Second, 4*time.Second // a request for the lease has half of that
	proxy := shutdowntest.NewProxy(t, plane.Config())
	election := e.election
	election.Identity = "a"
	m := controller.NewManager(writer.Mark(proxy.Config(), "replica/"+e.namespace+"/a"),
		controller.ManagerOptions{LeaderElection: &election, DrainTimeout: 2 * time.Minute, ShutdownTimeout: 3 * time.Minute})
	kube := kubernetes.NewForConfigOrDie(m.Config())
	maps := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(kube, 0, informers.WithNamespace(e.namespace),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = writer.Target }))).Core().V1().ConfigMaps()
	controller.New(m, "slow", maps.TypedInformer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		_, err := kube.CoreV1().ConfigMaps(e.namespace).Patch(ctx, cm.Name, types.MergePatchType, []byte(`{"data":{"by":"a"}}`), metav1.PatchOptions{})
		return controller.Result{}, err
	}, controller.Options{})
	slow := proxy.Add(shutdowntest.Match{Verb: "patch", Resource: "configmaps", First: 1}, shutdowntest.Stall())
	ctx, end := context.WithCancelCause(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	log := &lines{}
	go func() { done <- m.Run(klog.NewContext(ctx, log.logger())) }()
	slow.Await(1)

	end(errTestOver)
	for renewed := e.renewals(2 * e.election.LeaseDuration); !renewed(); time.Sleep(20 * time.Millisecond) {
		if holder := e.holder(); holder != "a" {
			t.Fatalf("while the item is in flight the lease is held by %q", holder)
		}
	}
	slow.Release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if holder := e.holder(); holder != "" {
		t.Errorf("at last the lease is held by %q; the log:\n%s", holder, log.tail())
	}
	if r := m.Report(); r.Finished != 1 || len(r.Cancelled) != 0 {
		t.Errorf("the item has not finished: %v", r)
	}
	e.assertOneWriter()
}

// holder is who holds the lease.
func (e *env) holder() string {
	e.Helper()
	lease, err := e.admin.CoordinationV1().Leases(e.namespace).Get(e.Context(), e.election.Name, metav1.GetOptions{})
	e.must(err)
	return ptr.Deref(lease.Spec.HolderIdentity, "")
}
