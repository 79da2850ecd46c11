// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"errors"
	"sync/atomic"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

// unwritable says which Leases a client cannot write: it cannot update one of them, or cannot create those of a kind,
// until it is healed.
type unwritable struct {
	name   string // that cannot be updated; empty for none
	kind   string // that cannot be created; empty for none
	healed atomic.Bool
}

// client returns a client that writes with another what can be written.
func (u *unwritable) client(with coordinationv1client.LeasesGetter) coordinationv1client.LeasesGetter {
	unless := func(refused func(*coordinationv1.Lease) bool) hook {
		return func(lease *coordinationv1.Lease, write func() (*coordinationv1.Lease, error)) (*coordinationv1.Lease, error) {
			if refused(lease) && !u.healed.Load() {
				return nil, apierrors.NewInternalError(errors.New("not now"))
			}
			return write()
		}
	}
	return &hooked{
		LeasesGetter: with,
		create:       unless(func(lease *coordinationv1.Lease) bool { return u.kind != "" && lease.Labels[kindLabel] == u.kind }),
		update:       unless(func(lease *coordinationv1.Lease) bool { return lease.Name == u.name }),
	}
}
