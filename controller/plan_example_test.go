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
		fmt.Print(made) // or look into made.Changes, made.Stops, made.Failures
		return nil
	}
	_ = plan
}

// A function that changes something outside of the API server asks whether it may.
func ExampleIsDryRun() {
	save := func(ctx context.Context, cm *corev1.ConfigMap) error {
		if controller.IsDryRun(ctx) {
			fmt.Println("would upload", cm.Name)
			return nil
		}
		return upload(ctx, cm)
	}
	_ = save
}

func upload(context.Context, *corev1.ConfigMap) error { return nil }
