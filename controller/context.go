// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// ReserveContext returns a context for writing a last status when a reconcile has run out of time.
// The context of a reconcile function ends before Options.Timeout is over: earlier by
// Options.Reserve. The returned context has the values of ctx and ends when Options.Timeout is
// over.
//
//	if errors.Is(context.Cause(ctx), cause.ItemTimeout) {
//		ctx, cancel := controller.ReserveContext(ctx)
//		defer cancel()
//		...
//	}
//
// If the reconcile is cancelled for another reason, such as the shutdown, or has returned, the
// returned context ends at the same moment, or has ended already. Outside a reconcile, ReserveContext does what
// [context.WithCancel] does. The idea of a deadline in two parts is from Crossplane.
func ReserveContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if unit := work.From(ctx); unit != nil {
		return unit.ReserveContext(ctx)
	}
	return context.WithCancel(ctx)
}

// ExternalContext limits ctx, the context of a reconcile function, to CallTimeouts.External. Use it
// for one call to something other than the API server, such as a cloud provider's API. A call that
// runs into the limit ends with [cause.CallTimeout], and the reconcile keeps the rest of its time.
// Outside a reconcile it is [context.WithCancel].
func ExternalContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if unit := work.From(ctx); unit != nil {
		return unit.ExternalContext(ctx)
	}
	return context.WithCancel(ctx)
}

// Attempt returns the number of the try that the reconcile on ctx is: 1 for the first, and one more
// for each failure in a row before it. [ReconcileFunc] says what ends a row. A function that gives up
// after some tries returns a [TerminalError] then. Outside a reconcile, Attempt returns 0.
func Attempt(ctx context.Context) int {
	if unit := work.From(ctx); unit != nil {
		return unit.Attempt
	}
	return 0
}

// AccountFrom returns what the reconcile on ctx has asked of the API server so far: its calls by verb and
// resource, with bytes and times, and which of its writes changed nothing. A runnable has
// an account too, of all that it has asked for. ok is false outside both.
func AccountFrom(ctx context.Context) (account report.Account, ok bool) {
	unit := work.From(ctx)
	if unit == nil {
		return report.Account{}, false
	}
	return unit.Account(), true
}

// WorkFrom returns the work that runs on ctx: its kind, its owner, and for a reconcile the object. A transport
// below the manager's clients learns from it on whose behalf a request is made. Calls of the result is empty: see
// [AccountFrom]. ok is false outside of a manager.
func WorkFrom(ctx context.Context) (running report.Work, ok bool) {
	unit := work.From(ctx)
	if unit == nil {
		return report.Work{}, false
	}
	return unit.Describe(nil), true
}

// TermFrom returns the term in which the work on ctx runs: that of leadership, or of the object's slot (see
// ManagerOptions.Sharding). ok is false for work that needs neither: on every replica, or in a manager
// without leader election and sharding.
func TermFrom(ctx context.Context) (term Term, ok bool) {
	unit := work.From(ctx)
	if unit == nil || unit.Term == nil {
		return Term{}, false
	}
	return unit.Term.Config.Term, true
}
