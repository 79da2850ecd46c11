// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"context"
	"fmt"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// writer writes Leases. A view takes in the answers.
type writer struct {
	config *Config
	view   *view
}

// limited returns a context for one write.
func (w *writer) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, w.config.RenewDeadline/2, cause.CallTimeout)
}

// update writes a Lease if it has not changed, and takes in the answer.
func (w *writer) update(ctx context.Context, lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	ctx, cancel := w.limited(ctx)
	defer cancel()
	written, err := w.config.leases().Update(ctx, lease, metav1.UpdateOptions{})
	if err != nil {
		return nil, describe("update", lease, err)
	}
	w.view.set(written)
	return written, nil
}

// write is update for those who need no answer.
func (w *writer) write(ctx context.Context, lease *coordinationv1.Lease) error {
	_, err := w.update(ctx, lease)
	return err
}

// create makes a Lease like the given one, and takes in the answer.
func (w *writer) create(ctx context.Context, like *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	ctx, cancel := w.limited(ctx)
	defer cancel()
	lease := like.DeepCopy()
	lease.ObjectMeta = metav1.ObjectMeta{
		Namespace: like.Namespace, Name: like.Name, Labels: like.Labels, Annotations: like.Annotations,
	}
	written, err := w.config.leases().Create(ctx, lease, metav1.CreateOptions{})
	if err != nil {
		return nil, describe("create", lease, err)
	}
	w.view.set(written)
	return written, nil
}

// remove deletes a Lease if it has not changed.
func (w *writer) remove(ctx context.Context, lease *coordinationv1.Lease) error {
	ctx, cancel := w.limited(ctx)
	defer cancel()
	err := w.config.leases().Delete(ctx, lease.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{
		UID: &lease.UID, ResourceVersion: &lease.ResourceVersion,
	}})
	if err != nil {
		return describe("delete", lease, err)
	}
	return nil
}

func describe(verb string, lease *coordinationv1.Lease, err error) error {
	err = fmt.Errorf("%s the lease %s/%s: %w", verb, lease.Namespace, lease.Name, err)
	if apierrors.IsForbidden(err) && !strings.Contains(err.Error(), "denied") {
		err = fmt.Errorf("%w (grant get, create, update, delete, list and watch on leases in the namespace)", err)
	}
	return err
}

// isRace reports whether another replica has written the Lease first, which the watch will show.
func isRace(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err)
}
