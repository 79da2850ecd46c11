// SPDX-License-Identifier: Apache-2.0

package witness

import "k8s.io/apimachinery/pkg/types"

// Container is one container of one pod.
type Container struct {
	Namespace string    `json:"namespace"`
	Pod       string    `json:"pod"`
	UID       types.UID `json:"uid"` // the pod's
	Name      string    `json:"container"`
}

// pod is a pod of one name and one UID.
type pod struct {
	namespace, name string
	uid             types.UID
}

func podOf(c Container) pod { return pod{namespace: c.Namespace, name: c.Pod, uid: c.UID} }
