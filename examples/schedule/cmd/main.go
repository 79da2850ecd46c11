// SPDX-License-Identifier: Apache-2.0

// The example as a program: on the cluster of your kubeconfig, or in a pod.
package main

import (
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/schedule"
)

func main() {
	options := controller.ManagerOptions{
		LeaderElection: &controller.LeaderElection{Namespace: "default", Name: "schedule-example"},
	}
	controller.Main(options, func(m *controller.Manager) error {
		client, err := kubernetes.NewForConfig(m.Config())
		if err == nil {
			schedule.SetUp(m, client)
		}
		return err
	})
}
