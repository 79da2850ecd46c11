// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// SignalContext returns a context that ends at the first SIGINT or SIGTERM, with a [*SignalError]
// as its cause. What further signals do depends on managers:
//   - While one of managers drains (see ManagerOptions.DrainTimeout), the second signal cancels its
//     items in flight, and the third kills the process.
//   - Otherwise the second signal kills the process.
//
// The caller must call stop, which restores the default handling of signals.
func SignalContext(
	parent context.Context,
	managers ...*Manager,
) (ctx context.Context, stop context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	var listening sync.WaitGroup
	listening.Go(func() { listen(signals, cancel, managers) })
	return ctx, sync.OnceFunc(func() {
		signal.Stop(signals)
		close(signals)
		listening.Wait()
		cancel(context.Canceled)
	})
}

// SignalError is the cause of the end of a context from [SignalContext].
type SignalError struct{ Signal os.Signal }

// Error names the signal.
func (e *SignalError) Error() string { return "received the signal " + e.Signal.String() }

// Is reports whether target is [context.Canceled], which a signal is too.
func (e *SignalError) Is(target error) bool { return target == context.Canceled }

func listen(signals <-chan os.Signal, cancel context.CancelCauseFunc, managers []*Manager) {
	received, ok := <-signals
	if !ok {
		return
	}
	cancel(&SignalError{received})
	for received := range signals {
		if cancelDrains(managers) {
			continue
		}
		signal.Reset(syscall.SIGINT, syscall.SIGTERM)
		if process, err := os.FindProcess(os.Getpid()); err == nil {
			_ = process.Signal(received) // without a handler it ends the process
		}
	}
}

// cancelDrains cancels the drains of all managers, and reports whether there was one.
func cancelDrains(managers []*Manager) (cancelled bool) {
	for _, m := range managers {
		if m.running() && m.setup.drains() && m.setup.hurry() {
			cancelled = true
		}
	}
	return cancelled
}
