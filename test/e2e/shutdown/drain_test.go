// SPDX-License-Identifier: Apache-2.0

package shutdown_test

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

// drains has ten items of a manager that drains in calls that are held.
func (e *env) drains(grace time.Duration) (*shutdowntest.Run, *shutdowntest.Rule) {
	e.Helper()
	held := e.proxy.Add(patches, shutdowntest.Stall())
	options := unlimited
	options.DrainTimeout = grace
	run := shutdowntest.Start(e, e.proxy, func(m *controller.Manager) error {
		client := kubernetes.NewForConfigOrDie(m.Config())
		controller.New(m, "c", e.informer(client), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			return controller.Result{}, errors.Join(annotate(ctx, client, cm), get(ctx, client, cm))
		}, controller.Options{Workers: 10})
		return nil
	}, shutdowntest.Options{Manager: options})
	held.Await(10)
	return run, held
}

func TestC6ADrainLetsItemsInFlightFinishAndStartsNoOther(t *testing.T) {
	e := newEnv(t, 50)
	run, held := e.drains(15 * time.Second)
	run.Cancel(errDrained)
	held.Release()
	if err := run.Wait(); err != nil {
		t.Error(err)
	}
	run.AssertPromise(shutdowntest.Expect{
		Cancelled: shutdowntest.NoneCancelled,
		AllowLate: []shutdowntest.Match{{Verb: "get", Resource: "configmaps"}}, // the items' second call
	})
	if report := run.Manager().Report(); report.Finished != 10 || report.Queued["c"] < 40 {
		t.Errorf("the report counts %d finished and %v queued", report.Finished, report.Queued)
	}
	e.assertAudit(run)
}

func TestC6ADrainThatIsOverCancelsItsItems(t *testing.T) {
	e := newEnv(t, 50)
	run, _ := e.drains(100 * time.Millisecond)
	if err := run.End(errDrained); err != nil {
		t.Error(err)
	}
	run.AssertPromise(shutdowntest.Expect{})
	for _, err := range run.ItemErrors() {
		if !errors.Is(err, cause.DrainExpired) {
			t.Errorf("an item returned %v", err)
		}
	}
	e.assertAudit(run)
}
