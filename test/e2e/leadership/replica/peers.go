// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	ctrl "sigs.k8s.io/controller-runtime"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/lanyard-k8s/lanyard/test/e2e/leadership/writer"
)

// A peer takes part in an election of somebody else's. Who leads writes once.
type peer func(ctx context.Context, config *rest.Config, options writer.Options, tell func(writer.Event)) error

func peers() map[writer.Elector]peer {
	return map[writer.Elector]peer{writer.ClientGo: clientGo, writer.ControllerRuntime: controllerRuntime}
}

// clientGo is client-go's election alone.
func clientGo(ctx context.Context, config *rest.Config, options writer.Options, tell func(writer.Event)) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	e := options.Election
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, e.Namespace, e.Name, client.CoreV1(), client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: e.Identity})
	if err != nil {
		return err
	}
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: e.LeaseDuration, RenewDeadline: e.RenewDeadline, RetryPeriod: e.RetryPeriod,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) { lead(ctx, client, options, tell) },
			OnStoppedLeading: func() { tell(writer.Event{What: "lost"}) },
			OnNewLeader: func(string) {
				tell(writer.Event{What: "ready"}) // it has seen the lease
			},
		},
	})
	if err != nil {
		return err
	}
	elector.Run(ctx)
	return nil
}

// controllerRuntime is the election of its manager, with one runnable that needs leadership and one that does not.
func controllerRuntime(ctx context.Context, config *rest.Config, options writer.Options, tell func(writer.Event)) error {
	e := options.Election
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Logger:         logr.Discard(),
		Metrics:        metricsserver.Options{BindAddress: "0"},
		LeaderElection: true, LeaderElectionID: e.Name, LeaderElectionNamespace: e.Namespace,
		LeaseDuration: &e.LeaseDuration, RenewDeadline: &e.RenewDeadline, RetryPeriod: &e.RetryPeriod,
	})
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := mgr.Add(runnable{func(ctx context.Context) { lead(ctx, client, options, tell) }, true}); err != nil {
		return err
	}
	if err := mgr.Add(runnable{func(context.Context) { tell(writer.Event{What: "ready"}) }, false}); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// runnable is a runnable of controller-runtime.
type runnable struct {
	do     func(ctx context.Context)
	leader bool
}

func (r runnable) Start(ctx context.Context) error { r.do(ctx); return nil }
func (r runnable) NeedLeaderElection() bool        { return r.leader }

func lead(ctx context.Context, client kubernetes.Interface, options writer.Options, tell func(writer.Event)) {
	tell(writer.Event{What: "leads"})
	patch := []byte(`{"data":{"by":"` + options.Agent + `"}}`)
	if _, err := client.CoreV1().ConfigMaps(options.Namespace).Patch(ctx, "target-0", types.MergePatchType, patch, metav1.PatchOptions{}); err == nil {
		tell(writer.Event{What: "wrote"})
	}
}
