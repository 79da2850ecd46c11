package controller

import (
	"context"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/quiet"
)

// withQuietEnds makes the logger of ctx write an error that says no more than that a context was
// cancelled by the framework as a line for debugging: client-go, and user code, would log it as an
// error although nothing has failed (C5).
func withQuietEnds(ctx context.Context) context.Context {
	return quiet.Errors(ctx, 1, func(err error) bool {
		ended := cause.Of(err)
		return ended != nil && !ended.Timeout() && ended != cause.Failed
	})
}
