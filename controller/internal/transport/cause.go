package transport

import (
	"context"
	"errors"
)

// withCause makes the error of a call that ended with its context say so: it is then both the
// context's cause and its plain error (C2). Whatever error the transport came up with instead is kept
// as text only: client-go would take a connection reset for a reason to try again.
func withCause(ctx context.Context, err error) error {
	ended := ctx.Err()
	if ended == nil {
		return err
	}
	cause := context.Cause(ctx)
	if errors.Is(err, cause) && errors.Is(err, ended) {
		return err
	}
	return &endedError{text: err.Error(), cause: cause, ended: ended}
}

type endedError struct {
	text  string
	cause error
	ended error
}

func (e *endedError) Error() string {
	if e.text == e.ended.Error() || e.text == e.cause.Error() {
		return e.cause.Error()
	}
	return e.cause.Error() + " (" + e.text + ")"
}

func (e *endedError) Unwrap() []error { return []error{e.cause, e.ended} }

// Timeout is what client-go and net/http ask errors for.
func (e *endedError) Timeout() bool { return errors.Is(e.ended, context.DeadlineExceeded) }
