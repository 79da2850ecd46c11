// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
)

// A manager with the same set-up as in production, which only says what it would change.
func ExampleManager_Plan() {
	plan := func(ctx context.Context, config *rest.Config) error {
		m := controller.NewManager(config, controller.ManagerOptions{DryRun: &controller.DryRun{}})
		client := kubernetes.NewForConfigOrDie(m.Config())
		factory := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0))
		controller.New(m, "hello", factory.Core().V1().ConfigMaps().TypedInformer(), hello, controller.Options{})
		made, err := m.Plan(ctx)
		if err != nil {
			return err
		}
		for _, change := range made.Changes {
			fmt.Println(change.Action, change.Object, len(change.Fields))
		}
		return nil
	}
	_ = plan
}

// A reconcile function that changes something outside of the API server asks whether it may.
func ExampleIsDryRun() {
	reconcile := func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		if controller.IsDryRun(ctx) {
			return controller.Result{}, nil
		}
		return controller.Result{}, upload(ctx, cm)
	}
	fmt.Println(reconcile(context.Background(), &corev1.ConfigMap{}))
	// Output: {0s 0001-01-01 00:00:00 +0000 UTC} <nil>
}

func upload(context.Context, *corev1.ConfigMap) error { return nil }
