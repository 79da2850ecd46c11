// SPDX-License-Identifier: Apache-2.0

// The example as a program: on the cluster of your kubeconfig, or in a pod.
package main

import (
	"os"
	"time"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/bucket"
)

func main() {
	options := controller.ManagerOptions{
		LeaderElection: &controller.LeaderElection{Namespace: "default", Name: "bucket-example"},
		CallTimeouts:   controller.CallTimeouts{External: 10 * time.Second},
	}
	controller.Main(options, func(m *controller.Manager) error {
		_, err := bucket.SetUp(m, os.Getenv("BUCKETS_URL"))
		return err
	})
}
