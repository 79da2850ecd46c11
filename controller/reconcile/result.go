// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"errors"
	"fmt"
	"time"
)

// Result says when an object is reconciled again. The zero value says: not before the next event.
//
// The last result decides. Whenever an object is reconciled, for whatever reason, the time that its
// earlier result asked for, or its earlier error, is void; if it is still wanted, the new result must
// ask for it again.
//
// If both fields are set, the earlier time counts. Both have the same meaning together with an error:
// the time takes the place of the back-off, as for a server that says when to try again, and after a
// [TerminalError] there is one more try at that time. The error is logged and counted all the same,
// and the back-off of further errors grows.
type Result struct {
	// RequeueAfter is the time after which the object is reconciled again. Zero: it asks for nothing.
	// Negative: at once, but after the objects that wait already. To reconcile at once again and
	// again keeps a worker busy; a time of a few seconds is nearly always better.
	RequeueAfter time.Duration

	// RequeueAt is the time at which the object is reconciled again: at once, if it has passed. The
	// zero time asks for nothing. Use it for a schedule: the time that is left until then may be zero
	// at the wrong moment.
	RequeueAt time.Time
}

// TerminalError returns an error with which a reconcile is logged and counted as failed, but not
// tried again until the next event, or the time in its [Result]. Use it when another try would fail
// too, such as for an invalid spec. It ends the row of tries: the back-off begins anew. The returned
// error wraps err. It is nil if err is nil.
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
