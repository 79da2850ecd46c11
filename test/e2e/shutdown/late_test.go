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

// TestC3NoWriteReachesTheServerOnAContextThatIsMadeAfterTheEnd has two hundred items that wait for their
// end, and then write with each context that they can make. With a drain that was cancelled before, the
// items end as early.
func TestC3NoWriteReachesTheServerOnAContextThatIsMadeAfterTheEnd(t *testing.T) {
	const items = 200
	for name, drain := range map[string]time.Duration{"cancel": 0, "drain that was cancelled before": 15 * time.Second} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, items)
			options := unlimited
			options.DrainTimeout = drain
			began, alive := make(chan struct{}, items), make(chan error, 3*items)
			run := shutdowntest.Start(t, e.proxy, func(m *controller.Manager) error {
				client := kubernetes.NewForConfigOrDie(m.Config())
				controller.New(m, "c", e.informer(client), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
					began <- struct{}{}
					<-ctx.Done()
					reserve, cancelReserve := controller.ReserveContext(ctx)
					defer cancelReserve()
					external, cancelExternal := controller.ExternalContext(ctx)
					defer cancelExternal()
					for _, late := range []context.Context{reserve, external, elsewhere()} {
						if err := annotate(late, client, cm); !errors.Is(err, cause.Shutdown) {
							alive <- err
						}
					}
					return controller.Result{}, ctx.Err()
				}, controller.Options{Workers: items})
				return nil
			}, shutdowntest.Options{Manager: options})
			for range items {
				<-began
			}
			run.Manager().CancelDrain()
			if err := run.End(errDrained); err != nil {
				t.Error(err)
			}
			if len(alive) > 0 {
				t.Errorf("%d writes were not refused; the first returned %v", len(alive), <-alive)
			}
			writes := 0
			for _, call := range e.proxy.Calls() {
				if patches.Verb == call.Verb {
					writes++
				}
			}
			if writes > 0 {
				t.Errorf("%d writes were sent", writes)
			}
			e.assertAudit(run)
		})
	}
}

// elsewhere returns a context that is not the manager's.
func elsewhere() context.Context { return context.Background() }
