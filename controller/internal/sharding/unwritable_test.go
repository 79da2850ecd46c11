// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"context"
	"errors"
	"sync/atomic"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

// unwritable is a client of Leases that cannot update one of them, or cannot create those of a kind, until it is healed.
type unwritable struct {
	coordinationv1client.LeasesGetter
	name   string // that cannot be updated; empty for none
	kind   string // that cannot be created; empty for none
	healed atomic.Bool
}

func (u *unwritable) Leases(namespace string) coordinationv1client.LeaseInterface {
	return unwritableLeases{u.LeasesGetter.Leases(namespace), u}
}

type unwritableLeases struct {
	coordinationv1client.LeaseInterface
	*unwritable
}

func (l unwritableLeases) Create(ctx context.Context, lease *coordinationv1.Lease, o metav1.CreateOptions) (*coordinationv1.Lease, error) {
	if l.kind != "" && lease.Labels[kindLabel] == l.kind && !l.healed.Load() {
		return nil, apierrors.NewInternalError(errors.New("not now"))
	}
	return l.LeaseInterface.Create(ctx, lease, o)
}

func (l unwritableLeases) Update(ctx context.Context, lease *coordinationv1.Lease, o metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	if lease.Name == l.name && !l.healed.Load() {
		return nil, apierrors.NewInternalError(errors.New("not now"))
	}
	return l.LeaseInterface.Update(ctx, lease, o)
}
