// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"errors"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// request is one request for the lease, or several that have one limit together.
type request func(
	ctx context.Context, leases coordinationv1client.LeaseInterface,
) (*coordinationv1.Lease, error)

// requests sends requests for one lease.
type requests struct {
	config Config
}

// limit is the time for a request that acquires or renews the lease. Two of them fit before the
// renew deadline.
func (r requests) limit() time.Duration { return r.config.RenewDeadline / 2 }

// send sends a request with a time limit. If it is not answered within the limit, the next request
// uses another connection, and the error is an [unansweredError].
func (r requests) send(
	ctx context.Context, limit time.Duration, send request,
) (*coordinationv1.Lease, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, cause.CallTimeout)
	defer cancel()
	lease, err := send(ctx, r.config.Client.Leases(r.config.Lease.Namespace))
	if err == nil || !errors.Is(context.Cause(ctx), cause.CallTimeout) {
		return lease, err
	}
	if r.config.Reconnect != nil {
		r.config.Reconnect()
	}
	return nil, &unansweredError{err}
}

// unansweredError is the error of a request that was not answered within its limit.
type unansweredError struct{ error }

func (e *unansweredError) Unwrap() error { return e.error }
