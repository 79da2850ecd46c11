// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"context"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

// hook is called in place of a write of a Lease. write makes the write.
type hook func(lease *coordinationv1.Lease, write func() (*coordinationv1.Lease, error)) (*coordinationv1.Lease, error)

// hooked is a client of Leases whose writes go through hooks; nil: they are made.
type hooked struct {
	coordinationv1client.LeasesGetter
	create, update hook
}

func (h *hooked) Leases(namespace string) coordinationv1client.LeaseInterface {
	return hookedLeases{h.LeasesGetter.Leases(namespace), h}
}

type hookedLeases struct {
	coordinationv1client.LeaseInterface
	*hooked
}

func (l hookedLeases) Create(ctx context.Context, lease *coordinationv1.Lease, o metav1.CreateOptions) (*coordinationv1.Lease, error) {
	write := func() (*coordinationv1.Lease, error) { return l.LeaseInterface.Create(ctx, lease, o) }
	if l.create == nil {
		return write()
	}
	return l.create(lease, write)
}

func (l hookedLeases) Update(ctx context.Context, lease *coordinationv1.Lease, o metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	write := func() (*coordinationv1.Lease, error) { return l.LeaseInterface.Update(ctx, lease, o) }
	if l.update == nil {
		return write()
	}
	return l.update(lease, write)
}
