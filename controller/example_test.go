// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/controller"
)

// A program that greets each ConfigMap.
func Example() {
	controller.Main(controller.ManagerOptions{}, func(m *controller.Manager) error {
		client := kubernetes.NewForConfigOrDie(m.Config())
		factory := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0))
		maps := factory.Core().V1().ConfigMaps().TypedInformer()
		controller.New(m, "hello", maps, hello, controller.Options{})
		return nil
	})
}

func hello(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
	fmt.Println("hello", cm.Namespace, cm.Name)
	return controller.Result{}, nil
}
