package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/trigger"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// outcome is how a reconcile ended: a bounded set, for logs and metrics.
type outcome string

const (
	outcomeDone      outcome = "done"
	outcomeRequeued  outcome = "requeue"
	outcomeRetried   outcome = "retry"
	outcomeTerminal  outcome = "terminal"
	outcomeCancelled outcome = "cancelled"
	outcomePanicked  outcome = "panic"
	outcomeTimedout  outcome = "timeout"
)

// Terminal makes an error final: the object is not tried again until something about it changes. It is
// for errors that trying again cannot mend.
func Terminal(err error) error {
	if err == nil {
		return nil
	}
	return &terminalError{err}
}

type terminalError struct{ error }

func (e *terminalError) Unwrap() error { return e.error }

// PanicError is what a panic in a reconcile function becomes.
type PanicError struct {
	Value any    // what was passed to panic
	Stack []byte // of the goroutine that panicked
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// judge tells how a reconcile ended. An error on a context that has ended is the context's doing, not a
// failure (C5); a panic is a failure always.
func judge(ctx context.Context, result Result, err error) outcome {
	switch {
	case err == nil && result.RequeueAfter > 0:
		return outcomeRequeued
	case err == nil:
		return outcomeDone
	default:
		return judgeError(ctx, err)
	}
}

func judgeError(ctx context.Context, err error) outcome {
	var (
		panicErr *PanicError
		final    *terminalError
	)
	switch {
	case errors.As(err, &panicErr):
		return outcomePanicked
	case errors.Is(context.Cause(ctx), cause.ItemTimeout):
		return outcomeTimedout
	case ctx.Err() != nil:
		return outcomeCancelled
	case errors.As(err, &final):
		return outcomeTerminal
	default:
		return outcomeRetried
	}
}

// settle counts an item's end, and says when the item is taken again.
func (c *Controller[T]) settle(ctx context.Context, unit *work.Unit, result Result, err error) outcome {
	how := judge(ctx, result, err)
	c.stats.add(how, cause.Name(ctx))
	request := unit.Key
	switch how {
	case outcomeCancelled:
		if why := context.Cause(ctx); errors.Is(why, cause.Superseded) || errors.Is(why, cause.ObjectDeleted) {
			c.order.Hasten(request) // the event has put it into the queue again
			if c.triggers != nil {
				c.triggers.Superseded(request)
			}
		}
	case outcomePanicked, outcomeRetried, outcomeTimedout:
		delay := c.options.Backoff.When(request)
		c.noteTrigger(request, trigger.Retry, delay, trace.Link{})
		c.queue.AddAfter(request, delay)
	case outcomeRequeued:
		c.queue.Forget(request)
		c.noteTrigger(request, trigger.RequeueAfter, result.RequeueAfter, trace.Link{})
		c.queue.AddAfter(request, result.RequeueAfter)
	default:
		c.queue.Forget(request)
	}
	if how != outcomeCancelled {
		c.supersede.settled(request)
	}
	return how
}

// logOutcome writes at most one line for a reconcile: an error, and with more verbosity what it did, or that
// it was cancelled; one that did nothing is seen only with still more. What would not be seen is not put
// together either, which is why it asks the logger above the item's first.
func logOutcome(ctx context.Context, how outcome, unit *work.Unit, err error) {
	if err == nil || how == outcomeCancelled {
		level := 1
		if err == nil && unit.Cost().Calls == 0 {
			level = 2
		}
		if !klog.FromContext(unit.Base()).V(level).Enabled() {
			return
		}
		logger := withCost(klog.FromContext(ctx), how, unit).V(level)
		if how == outcomeCancelled {
			logger.Info("Reconcile cancelled", "cause", context.Cause(ctx), "err", err)
		} else {
			logger.Info("Reconciled")
		}
		return
	}
	logger := withCost(klog.FromContext(ctx), how, unit)
	var panicErr *PanicError
	switch {
	case errors.As(err, &panicErr):
		logger.Error(err, "Reconcile panicked, trying again", "stack", string(panicErr.Stack))
	case how == outcomeTimedout:
		logger.Error(err, "Reconcile used up its time, trying again")
	case how == outcomeRetried && apierrors.IsConflict(err):
		logger.Info("Reconcile met a conflict, trying again", "err", err)
	case how == outcomeRetried:
		logger.Error(err, "Reconcile failed, trying again")
	case how == outcomeTerminal:
		logger.Error(err, "Reconcile failed, waiting for a change")
	}
}

func withCost(logger klog.Logger, how outcome, unit *work.Unit) klog.Logger {
	cost := unit.Cost()
	return logger.WithValues("result", how, "took", time.Since(unit.Start).Round(time.Microsecond).String(),
		"calls", cost.Calls, "writes", cost.Writes)
}
