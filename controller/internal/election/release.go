// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/klog/v2"
)

const (
	// releaseConflicts is how often a release begins again because the lease has changed since it
	// was read. A renewal that was stopped may be applied in between, which is one such change.
	releaseConflicts = 3

	// releaseTries is how many attempts fit into the time of a release if none is answered.
	releaseTries = 3
)

// Release makes nobody the holder of the lease, so that another process can acquire it at once. It
// reads the lease first, and writes only if this candidate holds it, with the resourceVersion that
// it has read; it therefore never releases another's lease. It does nothing if this candidate never
// tried to acquire the lease. Call it when nothing that needs the lease is running.
//
// If the API server does not answer, Release tries again, over another connection, until ctx ends.
// It returns an error when it could not release the lease, which then expires by itself.
func (c *Candidate) Release(ctx context.Context) error {
	if !c.state.requested.Load() {
		return nil
	}
	limit := c.requests.limit()
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)/releaseTries)
	}
	for conflicts := 0; ; {
		_, err := c.requests.send(ctx, limit, c.readAndRelease)
		var unanswered *unansweredError
		switch {
		case err == nil:
			return nil
		case apierrors.IsConflict(err) && conflicts < releaseConflicts:
			conflicts++
		case errors.As(err, &unanswered) && ctx.Err() == nil:
			// Once more.
		default:
			return fmt.Errorf("release the lease %s: %w (it expires in %v)",
				c.config.Lease, err, c.config.LeaseDuration)
		}
	}
}

// readAndRelease reads the lease and releases it if this candidate holds it.
func (c *Candidate) readAndRelease(
	ctx context.Context, leases coordinationv1client.LeaseInterface,
) (*coordinationv1.Lease, error) {
	lease, err := leases.Get(ctx, c.config.Lease.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil || !c.owner.holds(lease) {
		return lease, err
	}
	Vacate(lease)
	lease, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
	if err == nil {
		klog.FromContext(ctx).Info("Lease released", "lease", c.config.Lease.String())
	}
	return lease, err
}
