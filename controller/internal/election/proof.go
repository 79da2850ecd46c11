// SPDX-License-Identifier: Apache-2.0

package election

import (
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/witness"
)

// prover knows of holders whether their processes have ended.
type prover struct {
	owner   owner
	witness *witness.Witness // nil: pods cannot be watched
}

// ended returns how it is known that the process that holds the lease has ended, "" if it is not known.
func (p prover) ended(lease *coordinationv1.Lease) string {
	home, ok := homeOf(lease)
	switch {
	case !ok || p.owner.holds(lease):
		return ""
	case home.isFollowedBy(p.owner.home):
		return "it ran in this container before it was started again"
	case p.witness == nil || lease.Spec.AcquireTime == nil:
		return ""
	}
	var renewed time.Time
	if lease.Spec.RenewTime != nil {
		renewed = lease.Spec.RenewTime.Time
	}
	return p.witness.Ended(home.Container, lease.Spec.AcquireTime.Time, renewed)
}
