// SPDX-License-Identifier: Apache-2.0

package controlplane_test

import (
	"context"
	"fmt"
	"os"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
)

func ExampleStart() {
	ctx := context.Background()
	cluster, err := controlplane.Start(ctx, controlplane.Options{Nodes: 1})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer func() {
		if err := cluster.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	robot, err := cluster.ServiceAccountConfig(ctx, "default", "default")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fmt.Println(cluster.Version(), robot.Host)
}

// A newer version of Kubernetes, with controllers besides the default ones.
func ExampleStart_version() {
	ctx := context.Background()
	cluster, err := controlplane.Start(ctx, controlplane.Options{
		Version:     "v1.37.2",
		Nodes:       1,
		Controllers: append(controlplane.DefaultControllers(), "job-controller", "statefulset-controller"),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	if err := cluster.Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
