package tree

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// ErrHurried is the detail of the cause with which a drain ends that was made to.
var ErrHurried = errors.New("the drain was cut short")

// Linger returns a context with the values of ctx that outlives it by grace, for items that may finish
// (C6: the drain mode). It ends before that when hurry does, which before the end of ctx has no effect yet. With a grace of zero it is ctx itself.
// release ends it and must be called when nothing runs on it any more.
func Linger(ctx, hurry context.Context, grace time.Duration) (lingering context.Context, release func()) {
	if grace <= 0 {
		return ctx, func() {}
	}
	inner, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	cut := func() { cancel(cause.Shutdown.With(fmt.Errorf("%w: %w", ErrHurried, context.Cause(ctx)))) }
	stopEnd := context.AfterFunc(ctx, func() {
		if hurry.Err() != nil {
			cut()
			return
		}
		limit := time.AfterFunc(grace, func() { cancel(cause.DrainExpired.With(context.Cause(ctx))) })
		context.AfterFunc(inner, func() { limit.Stop() })
	})
	stopHurry := context.AfterFunc(hurry, func() {
		if ctx.Err() != nil {
			cut()
		}
	})
	return inner, func() {
		stopEnd()
		stopHurry()
		cancel(cause.Shutdown)
	}
}
