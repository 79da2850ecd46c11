// SPDX-License-Identifier: Apache-2.0

// Package loglines writes the log lines about reconciles, and gives each item its logger.
package loglines

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Writer is an observer that writes at most one line for a reconcile: an error, or, with more
// verbosity, what it did or that it was cancelled.
type Writer struct{ observe.Nop }

// The verbosity of the lines that are no errors.
const (
	verbosityCalls   = 1 // of a reconcile that made calls, or was cancelled
	verbosityNoCalls = 2
	verbosityAccount = 3 // the line has the account of the calls
)

// ItemBegan returns a context whose logger names the item.
func (Writer) ItemBegan(ctx context.Context, item *observe.Item) context.Context {
	logger := klog.FromContext(ctx)
	if logger.GetSink() == nil {
		return ctx
	}
	return klog.NewContext(ctx, item.Log.Logger(logger, &item.Key, item.Attempt))
}

// ItemEnded writes the line.
func (Writer) ItemEnded(ctx context.Context, item *observe.Item) {
	logger := klog.FromContext(ctx)
	accounts := logger.V(verbosityAccount).Enabled()
	if item.Err == nil || item.Outcome == reconcile.Cancelled {
		level := verbosityCalls
		if item.Err == nil && item.Cost().Calls == 0 {
			level = verbosityNoCalls
		}
		logger = logger.V(level)
		if !logger.Enabled() {
			return
		}
	}
	cost := item.Cost()
	took := item.Took.Round(time.Microsecond)
	logger = logger.WithValues("result", item.Outcome, "took", took.String(),
		"calls", cost.Calls, "writes", cost.Writes)
	if cost.Calls > 0 && accounts {
		logger = logger.WithValues("account", item.Account().String())
	}
	if item.Again {
		logger = logger.WithValues("again", item.AgainAfter.Round(time.Millisecond).String())
	}
	if item.Err == nil {
		logger.Info("Reconciled")
		return
	}
	writeError(ctx, logger, item)
}

func writeError(ctx context.Context, logger klog.Logger, item *observe.Item) {
	err := item.Err
	again := ", trying again"
	if !item.Again { // a dry run tries nothing again
		again = ""
	}
	switch item.Outcome {
	case reconcile.Cancelled:
		logger.Info("Reconcile cancelled", "cause", context.Cause(ctx), "err", err)
	case reconcile.Panicked:
		var panicked *reconcile.PanicError
		if errors.As(err, &panicked) {
			logger = logger.WithValues("stack", string(panicked.Stack))
		}
		logger.Error(err, "Reconcile panicked"+again)
	case reconcile.TimedOut:
		logger.Error(err, "Reconcile used up its time"+again)
	case reconcile.Retried:
		if apierrors.IsConflict(err) {
			logger.Info("Reconcile met a conflict"+again, "err", err)
			return
		}
		logger.Error(err, "Reconcile failed"+again)
	case reconcile.Terminal:
		if item.Again {
			logger.Error(err, "Reconcile failed, trying again when it asked for it")
			return
		}
		logger.Error(err, "Reconcile failed, waiting for a change")
	case reconcile.Done, reconcile.Requeued: // these have no error
	}
}
