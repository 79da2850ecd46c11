// SPDX-License-Identifier: Apache-2.0

package shutdown_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

// deaf is a wrapper of a user's, that takes the context from calls whose contexts have a value of it.
type deaf struct{ http.RoundTripper }

func (d deaf) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Context().Value(deaf{}) != nil {
		req = req.WithContext(context.WithoutCancel(req.Context()))
	}
	return d.RoundTripper.RoundTrip(req)
}

// TestC7AReconcilerThatIgnoresItsContextIsNamedWithItsCall has two items in calls that do not end with
// their context, and two that do.
func TestC7AReconcilerThatIgnoresItsContextIsNamedWithItsCall(t *testing.T) {
	e := newEnv(t, 50)
	held := e.proxy.Add(patches, shutdowntest.Stall())
	run := shutdowntest.Start(t, e.proxy, func(m *controller.Manager) error {
		client := kubernetes.NewForConfigOrDie(m.Config())
		controller.New(m, "deaf", e.informer(client), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			switch cm.Name {
			case "cm-001", "cm-002":
				ctx = context.WithValue(ctx, deaf{}, true)
			case "cm-003", "cm-004":
			default:
				return controller.Result{}, nil
			}
			return controller.Result{}, annotate(ctx, client, cm)
		}, controller.Options{Workers: 4})
		return nil
	}, shutdowntest.Options{
		Manager: controller.ManagerOptions{ShutdownTimeout: time.Second, CallTimeouts: unlimited.CallTimeouts},
		Config: func(config *rest.Config) {
			config.Wrap(func(next http.RoundTripper) http.RoundTripper { return deaf{next} })
		},
	})
	held.Await(4)
	err := run.End(errDrained)
	var shutdown *controller.ShutdownError
	if !errors.As(err, &shutdown) {
		t.Fatalf("Run returned %v", err)
	}
	run.AssertPromise(shutdowntest.Expect{
		Stragglers: []string{
			"item deaf maps-50/cm-001, running for ",
			"in patch configmaps maps-50/cm-002 for ",
		},
		FreeStragglers: held.Release,
		// Let go, the two calls reach the server, but they were begun before the end.
	})
	for _, w := range shutdown.Report.Stragglers {
		if len(w.Calls) != 1 || w.Age <= 0 || w.Calls[0].Age <= 0 {
			t.Errorf("the straggler %v has no age, or not its one call", w)
		}
	}
	t.Logf("Run returned %v after the end: %v", run.Took(), err)
}

func TestC7ARunnableThatRefusesToStopIsNamed(t *testing.T) {
	e := newEnv(t, 1)
	free := make(chan struct{})
	held := e.proxy.Add(gets, shutdowntest.Stall())
	run := shutdowntest.Start(t, e.proxy, func(m *controller.Manager) error {
		client := kubernetes.NewForConfigOrDie(m.Config())
		controller.New(m, "c", e.informer(client), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			return controller.Result{}, get(ctx, client, cm)
		}, controller.Options{})
		m.AddRunnable("mule", func(context.Context) error { <-free; return nil })
		return nil
	}, shutdowntest.Options{Manager: controller.ManagerOptions{ShutdownTimeout: time.Second}})
	held.Await(1)
	err := run.End(errDrained)
	run.AssertPromise(shutdowntest.Expect{
		Cancelled:      1,
		Stragglers:     []string{"runnable mule, running for "},
		FreeStragglers: func() { close(free) },
	})
	t.Logf("Run returned %v after the end: %v", run.Took(), err)
	e.assertAudit(run)
}
