// SPDX-License-Identifier: Apache-2.0

// Package apply writes by server-side apply only what differs from what is there.
//
// An apply that changes nothing is still a request. A controller reconciles each object after each
// start, and each time something near it changes, so these requests add up. [IfDifferent] compares
// with the cached object first, and [Conditions] makes a status comparable: an object at rest costs
// no request.
package apply

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Func is the method Apply or ApplyStatus of a generated client.
type Func[T, C any] func(ctx context.Context, desired C, options metav1.ApplyOptions) (*T, error)

// IfDifferent applies desired, unless live has it all: see [Differs], also for the cases that it
// cannot see. live is the object from the cache, or nil if there is none. The result is what the API
// server answered, or live if nothing was sent.
//
// For a status, pass an apply configuration with a status, and the client's ApplyStatus. Name the UID
// of live in desired: then the API server refuses to write to an object that has taken the name of a
// deleted one, or to create the object anew.
func IfDifferent[T, C any](
	ctx context.Context,
	live *T,
	desired C,
	apply Func[T, C],
	options metav1.ApplyOptions,
) (*T, error) {
	differs, err := Differs(live, desired, options.FieldManager)
	if err != nil || !differs {
		return live, err
	}
	return apply(ctx, desired, options)
}
