// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"errors"
)

// withCause makes the error of a call that ended with its context say so: the result is both the
// context's cause and the context's plain error. It drops err, which says nothing else; client-go
// would take some of these errors, by their text, for a reason to try again.
func withCause(ctx context.Context, err error) error {
	ended := ctx.Err()
	if ended == nil {
		return err
	}
	return &endedError{
		cause:   context.Cause(ctx),
		ended:   ended,
		timeout: errors.Is(ended, context.DeadlineExceeded),
	}
}

// withCauseOfWatch is withCause for a watch, which must not look like a time-out: client-go would
// try it again, see that the context has ended, and return the context's error without the cause.
func withCauseOfWatch(ctx context.Context, err error) error {
	err = withCause(ctx, err)
	var ended *endedError
	if errors.As(err, &ended) {
		ended.timeout = false
	}
	return err
}

type endedError struct {
	cause   error
	ended   error // context.Canceled or context.DeadlineExceeded
	timeout bool
}

func (e *endedError) Error() string   { return e.cause.Error() }
func (e *endedError) Unwrap() []error { return []error{e.cause, e.ended} }

// Timeout is the method by which client-go and net/http recognise a time-out.
func (e *endedError) Timeout() bool { return e.timeout }
