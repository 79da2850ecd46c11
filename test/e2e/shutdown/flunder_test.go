// SPDX-License-Identifier: Apache-2.0

package shutdown_test

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/sample-controller/flunder"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

// TestTheSampleStopsInTheMiddleOfEachOfItsCalls has the sample's reconciler, as its own service account,
// in each of the calls that it makes.
func TestTheSampleStopsInTheMiddleOfEachOfItsCalls(t *testing.T) {
	for _, resource := range []string{"deployments.apps", "flunders.wardle.example.com/status", "events.events.k8s.io"} {
		for name, fault := range map[string]shutdowntest.Fault{"held": shutdowntest.Stall(), "not answered": shutdowntest.BlackHole()} {
			for _, n := range []int{1, 50} {
				t.Run(fmt.Sprintf("%s/%s/%d", resource, name, n), func(t *testing.T) { testSample(t, resource, fault, n) })
			}
		}
	}
}

func testSample(t *testing.T, resource string, fault shutdowntest.Fault, n int) {
	e := newEnv(t, 0)
	e.createFlunders(n)
	config, err := plane.ServiceAccountConfig(t.Context(), "lanyard-system", "flunder-controller")
	if err != nil {
		t.Fatal(err)
	}
	proxy := shutdowntest.NewProxy(t, config)
	held := proxy.Add(shutdowntest.Match{Verb: shutdowntest.Write, Resource: resource}, fault)
	run := shutdowntest.Start(t, proxy, func(m *controller.Manager) error {
		_, err := flunder.Setup(m, flunder.Options{Namespace: e.namespace, Workers: n})
		return err
	}, shutdowntest.Options{Manager: unlimited})
	held.Await(n)
	if err := run.End(errDrained); err != nil {
		t.Error(err)
	}
	expect := shutdowntest.Expect{}
	if resource == "events.events.k8s.io" {
		// The reconcile does not fail for an event that is not written, so the item may count as done.
		expect.Cancelled = shutdowntest.AnyCancelled
	}
	run.AssertPromise(expect)
	t.Logf("Run returned %v after the end", run.Took())
}

// createFlunders leaves n Flunders that nobody has reconciled yet.
func (e *env) createFlunders(n int) {
	e.Helper()
	flunders := versioned.NewForConfigOrDie(plane.Config()).WardleV1beta1().Flunders(e.namespace)
	if err := flunders.DeleteCollection(e.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		e.Fatal(err)
	}
	deployments := e.admin.AppsV1().Deployments(e.namespace) // which nobody collects here
	if err := deployments.DeleteCollection(e.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		e.Fatal(err)
	}
	events := e.admin.EventsV1().Events(e.namespace)
	if err := events.DeleteCollection(e.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		e.Fatal(err)
	}
	var g errgroup.Group
	g.SetLimit(16)
	for i := range n {
		g.Go(func() error {
			_, err := flunders.Create(e.Context(), &v1beta1.Flunder{
				ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("f%02d", i)},
				Spec:       v1beta1.FlunderSpec{Image: "registry.example.com/app:v1"},
			}, metav1.CreateOptions{})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		e.Fatal(err)
	}
}
