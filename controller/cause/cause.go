// SPDX-License-Identifier: Apache-2.0

// Package cause names why the framework ends a context.
//
// Everything that the framework ends, it ends with one of these, so that
// [context.Cause] tells a reconciler, a log line or a metric why, and so does the error of an
// API call that ended with it. Existing checks keep working: a cancellation is also
// [context.Canceled], a time-out is also [context.DeadlineExceeded], both by [errors.Is].
//
//	if errors.Is(err, cause.Shutdown) { ... }
package cause

import (
	"context"
	"errors"
)

// The set of causes. Compare with [errors.Is]: what a context carries wraps one of these
// together with its detail.
var (
	// Shutdown: the context that was given to Run ended. The detail is that context's own cause.
	Shutdown = &Cause{name: "shutdown", text: "the manager is shutting down", std: context.Canceled}

	// ComponentFailed: something that the manager cannot do without has failed, such as a runnable
	// or the first sync of a cache, so that everything else ends too. The detail is the failure.
	ComponentFailed = &Cause{
		name: "failed",
		text: "the manager ends because a part of it failed",
		std:  context.Canceled,
	}

	// DrainExpired: the manager shuts down, the item was given time to finish, and that time is
	// over. The detail is the cause of the shutdown, so this is [Shutdown] too.
	DrainExpired = &Cause{
		name: "drain_expired",
		text: "the grace period for items in flight is over",
		std:  context.Canceled,
	}

	// ItemTimeout: the item has used up its time. The reconcile function's context ends a
	// reserve earlier than the item does, with this cause too.
	ItemTimeout = &Cause{
		name: "item_timeout",
		text: "the item has used up its time",
		std:  context.DeadlineExceeded,
	}

	// CallTimeout: one call has used up the time for calls of its class. The item goes on.
	CallTimeout = &Cause{
		name: "call_timeout",
		text: "the call has used up its time",
		std:  context.DeadlineExceeded,
	}

	// Superseded: the object's spec was changed while it was being reconciled.
	Superseded = &Cause{
		name: "superseded",
		text: "the object was changed while it was being reconciled",
		std:  context.Canceled,
	}

	// ObjectDeleted: the object was deleted while it was being reconciled.
	ObjectDeleted = &Cause{
		name: "object_deleted",
		text: "the object was deleted while it was being reconciled",
		std:  context.Canceled,
	}

	// Stopped: the part of the manager for which the work was done was stopped alone, such as a
	// controller by its Stop method. The detail says which.
	Stopped = &Cause{
		name: "stopped",
		text: "it was stopped while the manager goes on",
		std:  context.Canceled,
	}

	// Returned: the reconcile function has returned. Its context ends then, so what it has left
	// behind, such as a goroutine, ends too; and a call with a context that was kept fails. The
	// detail names the item.
	Returned = &Cause{
		name: "returned",
		text: "the reconcile that this context was for has returned",
		std:  context.Canceled,
	}

	// DryRun: the plan of a dry run is complete.
	DryRun = &Cause{
		name: "dry_run",
		text: "the plan of the dry run is complete",
		std:  context.Canceled,
	}

	// LeadershipLost: the term in which the work was begun is over. The detail is a
	// [*TermEnded].
	LeadershipLost = &Cause{
		name: "leadership_lost",
		text: "leadership was lost",
		std:  context.Canceled,
	}

	// ShardLost: this process does not have the slot of the object any more, see
	// ManagerOptions.Sharding. The detail says to which replica the slot moves, or is a [*TermEnded].
	ShardLost = &Cause{
		name: "shard_lost",
		text: "the slot of the object was lost or moves to another replica",
		std:  context.Canceled,
	}
)

// Cause is a reason why the framework ended a context. The causes are the variables of this
// package; other packages cannot make one.
type Cause struct {
	name string
	text string
	std  error
}

// Error says the cause in words.
func (c *Cause) Error() string { return c.text }

// Name is the cause in one lower-case word, for metrics and logs. The set of names is bounded.
func (c *Cause) Name() string { return c.name }

// Is makes the cause equal to [context.Canceled] or [context.DeadlineExceeded], whichever it is.
func (c *Cause) Is(target error) bool {
	return target == c.std
}

// Timeout reports whether the cause is a time-out, as [net.Error] has it.
func (c *Cause) Timeout() bool { return errors.Is(c.std, context.DeadlineExceeded) }

// With returns an error that wraps both the cause and detail: [errors.Is] finds each of them.
func (c *Cause) With(detail error) error {
	if detail == nil {
		return c
	}
	return &detailed{cause: c, detail: detail}
}

type detailed struct {
	cause  *Cause
	detail error
}

func (d *detailed) Error() string   { return d.cause.text + ": " + d.detail.Error() }
func (d *detailed) Unwrap() []error { return []error{d.cause, d.detail} }

// Of returns the [Cause] that err wraps. err may be the error of an API call or the result of
// [context.Cause]. Of returns nil if err wraps no Cause: then user code ended the context, or it
// has not ended.
func Of(err error) *Cause {
	var found *Cause
	if errors.As(err, &found) {
		return found
	}
	return nil
}

// Name returns the name of the reason for which ctx ended, for metrics and logs. It is the name of
// a [Cause]; or "deadline" or "canceled", if user code ended a context of its own; or "", if ctx
// has not ended. The set of names is bounded.
func Name(ctx context.Context) string {
	err := context.Cause(ctx)
	if err == nil {
		return ""
	}
	switch c := Of(err); {
	case c != nil:
		return c.name
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline"
	default:
		return "canceled"
	}
}
