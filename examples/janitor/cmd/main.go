// SPDX-License-Identifier: Apache-2.0

// The example as a program: on the cluster of your kubeconfig, or in a pod.
package main

import (
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/janitor"
)

func main() {
	options := controller.ManagerOptions{
		LeaderElection: &controller.LeaderElection{Namespace: "default", Name: "janitor-example"},
	}
	controller.Main(options, func(m *controller.Manager) error {
		_, err := janitor.SetUp(m)
		return err
	})
}
