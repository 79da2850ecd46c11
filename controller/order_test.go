// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/lanyard-k8s/lanyard/controller"
)

// TestAChangedObjectComesBeforeThoseThatWereThereAtTheStart goes through client-go's workqueue,
// whose Touch moves the object.
func TestAChangedObjectComesBeforeThoseThatWereThereAtTheStart(t *testing.T) {
	informer := newStubInformer(t)
	begun, proceed := make(chan string), make(chan struct{})
	m := newManager(controller.ManagerOptions{})
	controller.New(m, "order", controller.Standalone[*corev1.ConfigMap](informer, controller.InformerOptions{}), func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		begun <- cm.Name
		<-proceed
		return controller.Result{}, nil
	}, controller.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	handler := <-informer.handlers
	var last *corev1.ConfigMap
	for _, name := range []string{"a", "b", "c", "d"} {
		last = configMap(name)
		if err := informer.GetIndexer().Add(last); err != nil {
			t.Fatal(err)
		}
		handler.OnAdd(last, true)
	}
	order := []string{<-begun}
	changed := last.DeepCopy()
	changed.ResourceVersion = "2"
	handler.OnUpdate(last, changed)
	for range 3 {
		proceed <- struct{}{}
		order = append(order, <-begun)
	}
	proceed <- struct{}{}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if want := []string{"a", "d", "b", "c"}; !slices.Equal(order, want) {
		t.Errorf("%v were reconciled, want %v", order, want)
	}
}
