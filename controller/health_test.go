// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

func TestC27StuckWorkersAreUnhealthyAndLoseTheLeaseUntilTheyReturn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, world, free := &leaseAPI{}, newWorld(t), make(chan struct{})
		world.add("x", "y")
		var terms atomic.Int32
		m := newManager(controller.ManagerOptions{LeaderElection: elect(api, "a"), ShutdownTimeout: 10 * time.Minute})
		controller.New(m, "c", world.informer(), func(context.Context, *corev1.ConfigMap) (controller.Result, error) {
			<-free
			return controller.Result{}, nil
		}, controller.Options{Workers: 2, Timeout: time.Minute})
		m.AddLeaderRunnable("r", func(ctx context.Context) error { terms.Add(1); <-ctx.Done(); return nil })
		r := start(t, t.Context(), m)
		time.Sleep(64 * time.Second)
		if _, leads := r.CurrentTerm(); !leads || m.Healthy() != nil {
			t.Errorf("it leads: %v, healthy: %v", leads, m.Healthy())
		}
		time.Sleep(4 * time.Second)
		if err := m.Healthy(); err == nil || !strings.Contains(err.Error(), "default/x") || !strings.Contains(err.Error(), "default/y") {
			t.Errorf("healthy: %v", err)
		}
		if _, leads := r.CurrentTerm(); leads {
			t.Error("it leads although nothing goes on")
		}
		renewals := api.renewed()
		time.Sleep(time.Minute)
		if api.renewed() != renewals || terms.Load() != 1 {
			t.Errorf("%d renewals, %d terms", api.renewed()-renewals, terms.Load())
		}
		close(free)
		time.Sleep(20 * time.Second)
		wantEnd(t, must(r.LastTerm()).Cause, cause.TermStuck)
		if _, leads := r.CurrentTerm(); !leads || m.Healthy() != nil {
			t.Errorf("it leads again: %v, healthy: %v", leads, m.Healthy())
		}
	})
}
