// SPDX-License-Identifier: Apache-2.0

package cause_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

func TestACauseIsItselfItsDetailAndTheStandardLibrarysError(t *testing.T) {
	detail := errors.New("someone pulled the plug")
	for c, std := range map[*cause.Cause]error{
		cause.Shutdown: context.Canceled, cause.ComponentFailed: context.Canceled, cause.DrainExpired: context.Canceled,
		cause.Superseded: context.Canceled, cause.ObjectDeleted: context.Canceled,
		cause.Returned:    context.Canceled,
		cause.ItemTimeout: context.DeadlineExceeded, cause.CallTimeout: context.DeadlineExceeded,
	} {
		err := fmt.Errorf("reconcile: %w", c.With(detail))
		other := context.DeadlineExceeded
		if errors.Is(std, context.DeadlineExceeded) {
			other = context.Canceled
		}
		if !errors.Is(err, c) || !errors.Is(err, detail) || !errors.Is(err, std) || errors.Is(err, other) {
			t.Errorf("%v is not what it should be", err)
		}
		if c.Timeout() != errors.Is(c, context.DeadlineExceeded) || cause.Of(err) != c || !errors.Is(c.With(nil), c) {
			t.Errorf("%s: time-out %v, found %v", c.Name(), c.Timeout(), cause.Of(err))
		}
	}
}

func TestTheNameOfAnEndIsOneOfABoundedSet(t *testing.T) {
	name := func(end error) string {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(end)
		return cause.Name(ctx)
	}
	deadline, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for want, got := range map[string]string{
		"":              cause.Name(t.Context()),
		"shutdown":      name(cause.Shutdown.With(errors.New("x"))),
		"drain_expired": name(cause.DrainExpired.With(cause.Shutdown)),
		"canceled":      name(errors.New("the user's own")),
		"deadline":      cause.Name(deadline),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
