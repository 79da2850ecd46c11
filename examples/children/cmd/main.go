// SPDX-License-Identifier: Apache-2.0

// The example as a program: on the cluster of your kubeconfig, or in a pod.
package main

import (
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/children"
)

func main() {
	options := controller.ManagerOptions{
		LeaderElection: &controller.LeaderElection{Namespace: "default", Name: "children-example"},
	}
	controller.Main(options, func(m *controller.Manager) error {
		_, err := children.SetUp(m)
		return err
	})
}
