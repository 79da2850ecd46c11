// SPDX-License-Identifier: Apache-2.0

package onclientgo

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
)

// lead is client-go's example of an election, with the times that Kubernetes' own components and
// controller-runtime have as defaults. The informers run already: a stand-by is warm.
func lead(ctx context.Context, config *rest.Config, s *program.Settings, work func(context.Context) error) error {
	client, err := coordination.NewForConfig(config)
	if err != nil {
		return err
	}
	var failed error
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: s.Namespace, Name: "bare"},
			Client:     client,
			LockConfig: resourcelock.ResourceLockConfig{Identity: s.Token},
		},
		ReleaseOnCancel: true,
		LeaseDuration:   15 * time.Second,
		RenewDeadline:   10 * time.Second,
		RetryPeriod:     2 * time.Second,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) { failed = work(ctx) },
			OnStoppedLeading: func() {}, // the process exits: run returns
		},
	})
	return failed
}
