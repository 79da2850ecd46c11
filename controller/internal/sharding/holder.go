// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/internal/election"
)

// holder is a membership, as Leases name it: a replica, and which of its campaigns for it.
type holder struct{ identity, process string }

// retired is the holder of the slots of a division that is used no more.
func retired() holder { return holder{"retired", "retired"} }

// isGivenBack reports whether nobody holds a Lease, and it says whose end that was: its last holder, or who
// knows that that one has ended, has emptied it. Somebody else who empties a Lease says nothing.
func isGivenBack(lease *coordinationv1.Lease) bool {
	return holderOf(lease) == (holder{}) && lease.Annotations[election.EndedAnnotation] != ""
}

// holderOf returns the holder of a Lease.
func holderOf(lease *coordinationv1.Lease) holder {
	return holder{
		identity: ptr.Deref(lease.Spec.HolderIdentity, ""),
		process:  lease.Annotations[election.ProcessAnnotation],
	}
}

// take returns a copy of a Lease with h as its holder.
func (h holder) take(lease *coordinationv1.Lease, duration time.Duration) *coordinationv1.Lease {
	taken := lease.DeepCopy()
	now := metav1.NowMicro()
	taken.Spec.HolderIdentity = ptr.To(h.identity)
	taken.Spec.LeaseDurationSeconds = ptr.To(int32(duration / time.Second))
	taken.Spec.AcquireTime = &now
	taken.Spec.RenewTime = &now
	taken.Spec.LeaseTransitions = ptr.To(int32(election.TransitionsOf(lease) + 1))
	metav1.SetMetaDataAnnotation(&taken.ObjectMeta, election.ProcessAnnotation, h.process)
	delete(taken.Annotations, election.EndedAnnotation)
	return taken
}

// emptied returns a copy of a Lease that nobody holds, and says that the end of its holder is known.
func emptied(lease *coordinationv1.Lease) *coordinationv1.Lease {
	free := lease.DeepCopy()
	election.Vacate(free)
	return free
}
