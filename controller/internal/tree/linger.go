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
// (C6: the drain mode). It ends before that when hurry does, which before the end of ctx has no effect yet,
// and at once, with its cause, when lost does: leadership that is lost never drains. lost may be nil. With
// a grace of zero it is ctx itself. release ends it and must be called when nothing runs on it any more.
func Linger(ctx, hurry, lost context.Context, grace time.Duration) (lingering context.Context, release func()) {
	if grace <= 0 {
		return ctx, func() {}
	}
	inner, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	cut := func() { cancel(cause.Shutdown.With(fmt.Errorf("%w: %w", ErrHurried, context.Cause(ctx)))) }
	stopEnd := context.AfterFunc(ctx, func() {
		if lost != nil && lost.Err() != nil {
			cancel(context.Cause(lost))
			return
		}
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
	stopLost := func() bool { return false }
	if lost != nil {
		stopLost = context.AfterFunc(lost, func() { cancel(context.Cause(lost)) })
	}
	return inner, func() {
		stopLost()
		stopEnd()
		stopHurry()
		cancel(cause.Shutdown)
	}
}
