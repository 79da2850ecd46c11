// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"errors"
	"fmt"
	"time"
)

// Result is what a reconcile that succeeded asks for. The zero value asks for nothing.
type Result struct {
	// RequeueAfter is the time after which the object is reconciled again. Zero or less: not before
	// the next event.
	RequeueAfter time.Duration
}

// TerminalError returns an error with which a reconcile is logged and counted as failed, but not
// tried again until the object changes. Use it when another try would fail too, such as for an
// invalid spec. The returned error wraps err. It is nil if err is nil.
func TerminalError(err error) error {
	if err == nil {
		return nil
	}
	return &terminalError{err}
}

// IsTerminal reports whether err, or an error that it wraps, is from [TerminalError].
func IsTerminal(err error) bool {
	var terminal *terminalError
	return errors.As(err, &terminal)
}

type terminalError struct{ error }

func (e *terminalError) Unwrap() error { return e.error }

// PanicError is the error of a reconcile function that panicked.
type PanicError struct {
	Value any    // the argument of panic
	Stack []byte // the stack of the goroutine that panicked
}

// Error returns the value of the panic. The stack is not part of it.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }
