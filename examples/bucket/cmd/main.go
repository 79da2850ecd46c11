// SPDX-License-Identifier: Apache-2.0

// The example as a program: on the cluster of your kubeconfig, or in a pod.
package main

import (
	"os"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/bucket"
)

func main() {
	controller.Main(controller.ManagerOptions{}, func(m *controller.Manager) error {
		_, err := bucket.SetUp(m, os.Getenv("BUCKETS_URL"))
		return err
	})
}
