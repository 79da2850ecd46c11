// SPDX-License-Identifier: Apache-2.0

package before

import (
	"os"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// NewLock makes a lock whose identity is the pod's name, which the server-side fence needs. It is for
// ctrl.Options.LeaderElectionResourceLockInterface.
func NewLock(config *rest.Config, namespace string) (resourcelock.Interface, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, namespace, "shop-leader",
		client.CoreV1(), client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: os.Getenv("POD_NAME")})
	// ctrl.Options{LeaderElection: true, LeaderElectionResourceLockInterface: lock}
	return lock, err
}
