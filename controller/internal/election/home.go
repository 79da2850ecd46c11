// SPDX-License-Identifier: Apache-2.0

package election

import (
	"encoding/json"

	coordinationv1 "k8s.io/api/coordination/v1"
)

// homeOf returns where the lease's holder runs, if it is known.
func homeOf(lease *coordinationv1.Lease) (home Home, ok bool) {
	var at habitation
	if err := json.Unmarshal([]byte(lease.Annotations[HolderAnnotation]), &at); err != nil {
		return Home{}, false
	}
	ok = at.Identity != "" && at.Identity == holderOf(lease) &&
		at.Process != "" && at.Process == lease.Annotations[ProcessAnnotation] &&
		at.Namespace != "" && at.Pod != "" && at.UID != "" && at.Name != ""
	return at.Home, ok
}

// isFollowedBy reports whether a process that runs at next shows that no process at h runs any more. It
// does if next is another run of the same container, because the kubelet does not start a container again
// before it has ended.
func (h Home) isFollowedBy(next *Home) bool {
	return next != nil && h.UID == next.UID && h.Name == next.Name &&
		h.Instance != "" && next.Instance != "" && h.Instance != next.Instance
}
