// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller"
)

// A part that fails at once ends what has not started yet: that is no failure of its own.
func TestAFailureDuringStartUpIsTheOnlyError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		m := newManager(controller.ManagerOptions{})
		m.AddRunnable("health", func(context.Context) error { return errors.New("the port is taken") })
		controller.New(m, "c", controller.Standalone[*corev1.ConfigMap](stoppedInformer{w.informer()}, controller.InformerOptions{}), nothing, controller.Options{})
		r := start(t, t.Context(), m)
		<-r.done
		if want := "runnable \"health\": the port is taken"; r.err == nil || r.err.Error() != want {
			t.Errorf("Run returned %v, want only %q", r.err, want)
		}
	})
}

// stoppedInformer takes a handler only after it has been stopped, which is too late.
type stoppedInformer struct {
	cache.TypedSharedIndexInformer[*corev1.ConfigMap]
}

func (s stoppedInformer) AddTypedEventHandler(handler cache.TypedResourceEventHandler[*corev1.ConfigMap], options ...cache.HandlerOptions) (cache.ResourceEventHandlerRegistration, error) {
	for !s.IsStopped() {
		time.Sleep(time.Second)
	}
	return s.TypedSharedIndexInformer.AddTypedEventHandler(handler, options...)
}
