package election

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/lanyard-k8s/lanyard/controller/internal/quiet"
)

// withQuietRaces makes the logger of an elector's context, which is run, write as a line for debugging what
// client-go (tools/leaderelection, 0.37.2) calls an error although it is how every election goes for all but
// one: another was first to create the lease or to take it, or this try was replaced while a request of it was
// on its way.
func withQuietRaces(run context.Context) context.Context {
	const verbosity = 4 // that of client-go for a lease that another holds
	return quiet.Errors(run, verbosity, func(err error) bool {
		return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) ||
			errors.Is(err, context.Canceled) && errors.Is(context.Cause(run), ErrPoked)
	})
}
