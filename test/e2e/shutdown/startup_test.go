// SPDX-License-Identifier: Apache-2.0

package shutdown_test

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

// mustNotRun is a reconcile function that is not to be called.
func mustNotRun(t testing.TB) controller.ReconcileFunc[*corev1.ConfigMap] {
	return func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
		t.Error("an item was started")
		return controller.Result{}, nil
	}
}

// TestC4C7ShutdownBeforeTheCachesHaveFilled ends the manager in each state that the first list, or the
// watch that stands in for it, can be in.
func TestC4C7ShutdownBeforeTheCachesHaveFilled(t *testing.T) {
	for name, fault := range map[string]shutdowntest.Fault{
		"the list never reaches the server": shutdowntest.Stall(),
		"the list is never answered":        shutdowntest.BlackHole(),
		"the list is answered half way":     shutdowntest.HalfBody(),
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, 50)
			listing := e.proxy.Add(shutdowntest.Match{Verb: shutdowntest.Read, Resource: "configmaps"}, fault)
			run := shutdowntest.Start(t, e.proxy, func(m *controller.Manager) error {
				informer := e.informer(kubernetes.NewForConfigOrDie(m.Config()))
				controller.New(m, "c", informer, mustNotRun(t), controller.Options{Workers: 4})
				return nil
			}, shutdowntest.Options{Manager: unlimited})
			listing.Await(1)
			if fault == shutdowntest.HalfBody() {
				eventually(t, "the first half is read", func() bool { return goroutinesIn("watch.(*StreamWatcher).receive(") > 0 })
			}
			if err := run.End(errDrained); err != nil {
				t.Error(err)
			}
			run.AssertPromise(shutdowntest.Expect{Cancelled: shutdowntest.NoneCancelled})
			if fault != shutdowntest.Stall() { // of that, the server has heard nothing
				e.assertAudit(run)
			}
		})
	}
}

func TestC7ShutdownWhileNoConnectionCanBeMade(t *testing.T) {
	e := newEnv(t, 1)
	dials := e.proxy.StallDials()
	run := shutdowntest.Start(t, e.proxy, func(m *controller.Manager) error {
		informer := e.informer(kubernetes.NewForConfigOrDie(m.Config()))
		controller.New(m, "c", informer, mustNotRun(t), controller.Options{})
		return nil
	}, shutdowntest.Options{})
	dials.Await(1)
	if err := run.End(errDrained); err != nil {
		t.Error(err)
	}
	run.AssertPromise(shutdowntest.Expect{Cancelled: shutdowntest.NoneCancelled})
}

// TestC2C7ShutdownDuringAListThatNeverAnswers is about lists of the user's, by an item and by a runnable.
func TestC2C7ShutdownDuringAListThatNeverAnswers(t *testing.T) {
	e := newEnv(t, 1)
	lists := e.proxy.Add(shutdowntest.Match{Verb: "list", Resource: "secrets"}, shutdowntest.BlackHole())
	runnable := make(chan error, 1)
	run := shutdowntest.Start(t, e.proxy, func(m *controller.Manager) error {
		client := kubernetes.NewForConfigOrDie(m.Config())
		list := func(ctx context.Context) error {
			_, err := client.CoreV1().Secrets(e.namespace).List(ctx, metav1.ListOptions{})
			return err
		}
		controller.New(m, "c", e.informer(client), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			return controller.Result{}, list(ctx)
		}, controller.Options{})
		m.AddRunnable("lister", func(ctx context.Context) error {
			err := list(ctx)
			runnable <- err
			return err
		})
		return nil
	}, shutdowntest.Options{Manager: unlimited})
	lists.Await(2)
	if err := run.End(errDrained); err != nil {
		t.Error(err)
	}
	// One of the two calls is the runnable's, which is no item, so the number is given.
	run.AssertPromise(shutdowntest.Expect{Cancelled: 1})
	if err := <-runnable; !errors.Is(err, cause.Shutdown) || !errors.Is(err, errDrained) || !errors.Is(err, context.Canceled) {
		t.Errorf("the runnable's list returned %v", err)
	}
	e.assertAudit(run)
}

// TestC4WhatIsQueuedAtTheEndIsNotStarted has 50 items for ten workers.
func TestC4WhatIsQueuedAtTheEndIsNotStarted(t *testing.T) {
	e := newEnv(t, 50)
	held := e.proxy.Add(patches, shutdowntest.BlackHole())
	run := shutdowntest.Start(t, e.proxy, func(m *controller.Manager) error {
		client := kubernetes.NewForConfigOrDie(m.Config())
		controller.New(m, "c", e.informer(client), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			return controller.Result{}, annotate(ctx, client, cm)
		}, controller.Options{Workers: 10})
		return nil
	}, shutdowntest.Options{Manager: unlimited})
	held.Await(10)
	if err := run.End(errDrained); err != nil {
		t.Error(err)
	}
	run.AssertPromise(shutdowntest.Expect{})
	if queued := run.Manager().Report().Queued["c"]; queued < 40 {
		t.Errorf("the report counts %d that were not started, want at least 40", queued)
	}
	e.assertAudit(run)
}

// TestC7C22TwiceInARow runs two managers one after the other in one process, through one proxy.
func TestC7C22TwiceInARow(t *testing.T) {
	e := newEnv(t, 50)
	for range 2 {
		held := e.proxy.Add(patches, shutdowntest.Stall())
		run := shutdowntest.Start(t, e.proxy, func(m *controller.Manager) error {
			client := kubernetes.NewForConfigOrDie(m.Config())
			controller.New(m, "c", e.informer(client), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
				return controller.Result{}, annotate(ctx, client, cm)
			}, controller.Options{Workers: 50})
			return nil
		}, shutdowntest.Options{Manager: unlimited})
		held.Await(50)
		if err := run.End(errDrained); err != nil {
			t.Error(err)
		}
		run.AssertPromise(shutdowntest.Expect{})
		if err := run.Manager().Run(t.Context()); err == nil {
			t.Error("a manager ran a second time")
		}
		e.assertAudit(run)
		held.Release()
	}
}
