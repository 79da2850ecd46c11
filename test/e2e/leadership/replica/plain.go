// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/lanyard-k8s/lanyard/test/e2e/leadership/writer"
)

// plain is client-go's election alone, to compare with. Who leads writes once.
func plain(ctx context.Context, config *rest.Config, options writer.Options, tell func(writer.Event)) error {
	config = writer.Mark(config, options.Agent)
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
			OnStartedLeading: func(ctx context.Context) {
				tell(writer.Event{What: "leads"})
				patch := []byte(`{"data":{"by":"` + options.Agent + `"}}`)
				if _, err := client.CoreV1().ConfigMaps(options.Namespace).Patch(ctx, "target-0", types.MergePatchType, patch, metav1.PatchOptions{}); err == nil {
					tell(writer.Event{What: "wrote"})
				}
			},
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
