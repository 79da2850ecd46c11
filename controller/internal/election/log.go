// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/lanyard-k8s/lanyard/controller/internal/quiet"
)

// raceVerbosity is client-go's verbosity for a lease that another process holds.
const raceVerbosity = 4

// demoteRaces returns the elector's context run with a logger that writes some errors of client-go
// as lines for debugging. They are how every election goes for all candidates but one: another was
// first to create or to acquire the lease, or the attempt was stopped while a request was under
// way.
func demoteRaces(run context.Context) context.Context {
	return quiet.Demote(run, raceVerbosity, func(err error) bool {
		var stopped *stoppedError
		return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) ||
			errors.As(err, &stopped) ||
			errors.Is(err, context.Canceled) && errors.Is(context.Cause(run), retryNowError{})
	})
}
