// SPDX-License-Identifier: Apache-2.0

// The example as a program: on the cluster of your kubeconfig, or in a pod.
package main

import (
	"os"
	"time"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/poller"
)

func main() {
	options := controller.ManagerOptions{
		LeaderElection: &controller.LeaderElection{Namespace: "default", Name: "poller-example"},
	}
	controller.Main(options, func(m *controller.Manager) error {
		_, err := poller.SetUp(m, poller.Options{URL: os.Getenv("VERSIONS_URL"), Interval: 30 * time.Second})
		return err
	})
}
