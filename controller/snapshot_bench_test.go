// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller"
)

// BenchmarkSnapshot takes a snapshot of a thousand items in flight, and encodes it, as the page does twice a second.
func BenchmarkSnapshot(b *testing.B) {
	const items = 1000
	informer := newStubInformer(b)
	m := newManager(controller.ManagerOptions{})
	controller.New(m, "bench", controller.Standalone[*corev1.ConfigMap](informer, controller.InformerOptions{}),
		func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			<-ctx.Done()
			return controller.Result{}, nil
		}, controller.Options{Workers: items})
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	var handler cache.TypedResourceEventHandler[*corev1.ConfigMap] = <-informer.handlers
	for i := range items {
		object := configMap(fmt.Sprint(i))
		if err := informer.GetIndexer().Add(object); err != nil {
			b.Fatal(err)
		}
		handler.OnAdd(object, false)
	}
	for len(m.Snapshot().Controllers[0].InFlight) < items {
		time.Sleep(time.Millisecond)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(m.Snapshot()); err != nil {
			b.Fatal(err)
		}
	}
}
