// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"slices"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// Observers tells each observer of a list. The nil list works, and costs nothing. What begins is
// told in the order of the list, what ends in the opposite order, so that an observer which adds to
// the context (the span) encloses those after it.
type Observers []Observer

var _ Observer = Observers(nil)

// Enqueued tells all observers.
func (o Observers) Enqueued(ctx context.Context, e *Enqueue) {
	for _, observer := range o {
		observer.Enqueued(ctx, e)
	}
}

// ItemBegan tells all observers, each with the context of the one before.
func (o Observers) ItemBegan(ctx context.Context, item *Item) context.Context {
	for _, observer := range o {
		ctx = observer.ItemBegan(ctx, item) //nolint:fatcontext // each observer adds to the context once
	}
	return ctx
}

// ItemEnded tells all observers, the last first.
func (o Observers) ItemEnded(ctx context.Context, item *Item) {
	for _, observer := range slices.Backward(o) {
		observer.ItemEnded(ctx, item)
	}
}

// QueueCleared tells all observers.
func (o Observers) QueueCleared(controller string) {
	for _, observer := range o {
		observer.QueueCleared(controller)
	}
}

// ControllerRemoved tells all observers.
func (o Observers) ControllerRemoved(controller string) {
	for _, observer := range o {
		observer.ControllerRemoved(controller)
	}
}

// CallBegan tells all observers.
func (o Observers) CallBegan(ctx context.Context, call *Call) {
	for _, observer := range o {
		observer.CallBegan(ctx, call)
	}
}

// CallAttempted tells all observers.
func (o Observers) CallAttempted(ctx context.Context, call *Call, attempt Attempt) {
	for _, observer := range o {
		observer.CallAttempted(ctx, call, attempt)
	}
}

// CallWrote tells all observers.
func (o Observers) CallWrote(ctx context.Context, call *Call, write *Write) {
	for _, observer := range o {
		observer.CallWrote(ctx, call, write)
	}
}

// CallThrottled tells all observers.
func (o Observers) CallThrottled(ctx context.Context, t Throttle) {
	for _, observer := range o {
		observer.CallThrottled(ctx, t)
	}
}

// CallOrphaned tells all observers.
func (o Observers) CallOrphaned(ctx context.Context, orphan *report.Orphan, first bool) {
	for _, observer := range o {
		observer.CallOrphaned(ctx, orphan, first)
	}
}

// LoopFound tells all observers.
func (o Observers) LoopFound(ctx context.Context, loop *Loop) {
	for _, observer := range o {
		observer.LoopFound(ctx, loop)
	}
}

// TermBegan tells all observers.
func (o Observers) TermBegan(ctx context.Context, term cause.Term) {
	for _, observer := range o {
		observer.TermBegan(ctx, term)
	}
}

// TermEnded tells all observers, the last first.
func (o Observers) TermEnded(ctx context.Context, term cause.Term, how cause.TermEnd) {
	for _, observer := range slices.Backward(o) {
		observer.TermEnded(ctx, term, how)
	}
}

// SlotBegan tells all observers.
func (o Observers) SlotBegan(ctx context.Context, slot int, term cause.Term) {
	for _, observer := range o {
		observer.SlotBegan(ctx, slot, term)
	}
}

// SlotEnded tells all observers, the last first.
func (o Observers) SlotEnded(ctx context.Context, slot int, term cause.Term, how cause.TermEnd) {
	for _, observer := range slices.Backward(o) {
		observer.SlotEnded(ctx, slot, term, how)
	}
}
