// SPDX-License-Identifier: Apache-2.0

// Package observe says what happens in a manager, and who wants to know.
//
// The pipeline of each controller, leading and the transport tell an [Observers] what happens.
// Spans, metrics, log lines, stats and reports subscribe: each implements [Observer] in one place,
// embeds [Nop] for what it does not need, and is added to the list where the manager is wired.
// Nothing else knows who subscribes.
package observe

import (
	"context"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// Observer is told what happens in a manager. Its methods are called from many goroutines, on the
// hot path: they must not block. What they are passed must not be changed.
type Observer interface {
	// Enqueued is told that an event adds items to a queue. It comes before they are added.
	Enqueued(ctx context.Context, e *Enqueue)
	// ItemBegan is told that a worker has taken an item. The returned context is ctx or descends from
	// it; the reconcile function's context descends from that.
	ItemBegan(ctx context.Context, item *Item) context.Context
	// ItemEnded tells how an item ended. ctx is the reconcile function's.
	ItemEnded(ctx context.Context, item *Item)
	// QueueCleared is told that a controller has stopped, with its queue: what was in it will not be
	// taken.
	QueueCleared(controller string)
	// ControllerRemoved is told that a controller has been removed from a manager that goes on.
	ControllerRemoved(controller string)

	// CallBegan is told that a call is to be made. It may wait before it is sent.
	CallBegan(ctx context.Context, call *Call)
	// CallAttempted tells of each attempt at a call that was sent. Watches are left out.
	CallAttempted(ctx context.Context, call *Call, attempt Attempt)
	// CallWrote is told what became of a call of an item that may have changed something, before the
	// caller knows. A call that the API server has refused is left out, and so is a dry run.
	CallWrote(ctx context.Context, call *Call, write *Write)
	// CallThrottled is told that a call was or will be held back.
	CallThrottled(ctx context.Context, t Throttle)
	// CallOrphaned is told of each call that does not belong to any work of the manager. first reports
	// whether it is the first of its kind that its line of code makes. ctx is the manager's root.
	CallOrphaned(ctx context.Context, orphan *report.Orphan, first bool)

	// LoopFound is told of an object whose reconciles trigger themselves. Each row of writes is told once.
	LoopFound(ctx context.Context, loop *Loop)

	// TermBegan is told that this process leads.
	TermBegan(ctx context.Context, term cause.Term)
	// TermEnded is told that a term has ended and that its work has returned. ctx may have ended.
	TermEnded(ctx context.Context, term cause.Term, how cause.TermEnd)
	// SlotBegan is told that this process works on a slot.
	SlotBegan(ctx context.Context, slot int, term cause.Term)
	// SlotEnded is told that a slot has ended and that its work has returned. ctx may have ended.
	SlotEnded(ctx context.Context, slot int, term cause.Term, how cause.TermEnd)
}

// Nop is an Observer that does nothing. Embed it to implement a part of Observer.
type Nop struct{}

var _ Observer = Nop{}

// Enqueued does nothing.
func (Nop) Enqueued(context.Context, *Enqueue) {}

// ItemBegan returns ctx.
func (Nop) ItemBegan(ctx context.Context, _ *Item) context.Context { return ctx }

// ItemEnded does nothing.
func (Nop) ItemEnded(context.Context, *Item) {}

// QueueCleared does nothing.
func (Nop) QueueCleared(string) {}

// ControllerRemoved does nothing.
func (Nop) ControllerRemoved(string) {}

// CallBegan does nothing.
func (Nop) CallBegan(context.Context, *Call) {}

// CallAttempted does nothing.
func (Nop) CallAttempted(context.Context, *Call, Attempt) {}

// CallWrote does nothing.
func (Nop) CallWrote(context.Context, *Call, *Write) {}

// CallThrottled does nothing.
func (Nop) CallThrottled(context.Context, Throttle) {}

// CallOrphaned does nothing.
func (Nop) CallOrphaned(context.Context, *report.Orphan, bool) {}

// LoopFound does nothing.
func (Nop) LoopFound(context.Context, *Loop) {}

// TermBegan does nothing.
func (Nop) TermBegan(context.Context, cause.Term) {}

// TermEnded does nothing.
func (Nop) TermEnded(context.Context, cause.Term, cause.TermEnd) {}

// SlotBegan does nothing.
func (Nop) SlotBegan(context.Context, int, cause.Term) {}

// SlotEnded does nothing.
func (Nop) SlotEnded(context.Context, int, cause.Term, cause.TermEnd) {}
