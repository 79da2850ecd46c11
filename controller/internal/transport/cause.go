package transport

import (
	"context"
	"errors"
)

// withCause makes the error of a call that ended with its context say so: it is then both the
// context's cause and its plain error (C2). Whatever error the transport came up with instead is
// dropped: it says nothing else, and client-go would take some of them, by their text, for a reason to
// try again.
func withCause(ctx context.Context, err error) error {
	ended := ctx.Err()
	if ended == nil {
		return err
	}
	return &endedError{cause: context.Cause(ctx), ended: ended, timeout: errors.Is(ended, context.DeadlineExceeded)}
}

// withCause is withCause for the error of a call. A watch that timed out must not look like it: client-go
// would try it again, see that the context has ended, and return its error without the cause.
func (c *call) withCause(err error) error {
	err = withCause(c.ctx, err)
	var ended *endedError
	if c.Verb == "watch" && errors.As(err, &ended) {
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

// Timeout is what client-go and net/http ask errors for.
func (e *endedError) Timeout() bool { return e.timeout }
