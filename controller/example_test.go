package controller_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/controller"
)

// A program that greets each ConfigMap. As a main package it is 20 lines with its imports.
func Example() {
	controller.Main(func(m *controller.Manager) {
		maps := informers.NewSharedInformerFactory(kubernetes.NewForConfigOrDie(m.Config()), 0).Core().V1().ConfigMaps()
		controller.New(m, "hello", maps.TypedInformer(), func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			fmt.Println("hello", cm.Namespace, cm.Name)
			return controller.Result{}, nil
		}, controller.ControllerOptions{})
	})
}
