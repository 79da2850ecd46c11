package controller

import (
	"context"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// ReserveContext returns a context with the values of ctx, the context of a reconcile function, that goes
// on after that has run out of time, for ControllerOptions.Reserve more (C9): time to write a status that
// says so. It ends at once when the item is cancelled for another reason, such as the shutdown. The
// idea of a deadline in two tiers is Crossplane's.
//
//	if errors.Is(context.Cause(ctx), cause.ItemTimeout) {
//		ctx, cancel := controller.ReserveContext(ctx)
//		defer cancel()
//		...
//	}
func ReserveContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if unit := work.From(ctx); unit != nil {
		return unit.Reserve(ctx)
	}
	return context.WithCancel(ctx)
}

// ExternalContext limits ctx, the context of a reconcile function, to Options.CallTimeouts.External, for
// one call to something that is not the API server, such as a cloud's API. Running into that limit ends
// it with [cause.CallTimeout], and leaves the item the rest of its time.
func ExternalContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if unit := work.From(ctx); unit != nil {
		return unit.External(ctx)
	}
	return context.WithCancel(ctx)
}
