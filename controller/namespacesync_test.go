// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller"
)

func TestC28ANewNamespaceIsReconciledWhenAllItsCachesAreFull(t *testing.T) {
	bubble(t, func(t *testing.T) {
		first := &worlds{t, map[string]*world{}}
		namespaces := controller.NewNamespaces()
		slow := func(namespace string) cache.TypedSharedIndexInformer[*corev1.ConfigMap] {
			w := newWorld(t)
			w.Add(in(namespace, "child"))
			w.onList = func(context.Context) error { time.Sleep(time.Second); return nil }
			return w.informer()
		}
		m := newManager(controller.ManagerOptions{})
		second := controller.InNamespaces(namespaces, controller.InformerOptions{}, slow)
		c := controller.New(m, "c", controller.InNamespaces(namespaces, controller.InformerOptions{}, first.informer),
			func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
				if n := len(second.GetStore().ListKeys()); n == 0 {
					t.Errorf("%s is reconciled from an empty cache", cm.Namespace)
				}
				return controller.Result{}, nil
			}, controller.Options{})
		controller.Watches(c, second, func(context.Context, *corev1.ConfigMap) []controller.Request { return nil })
		r := start(t, t.Context(), m)
		synctest.Wait()
		namespaces.Set("blue")
		time.Sleep(time.Minute)
		synctest.Wait()
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
	})
}
