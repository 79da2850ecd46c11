package tracing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// SetStatus gives span the status of work that was done on ctx and returned err. Success leaves it unset. So
// does an end that ctx was brought to on purpose, such as a shutdown, which is named instead; a time-out and
// any other error set it, with [ErrorType]. Why work ended is read from ctx: err is no witness of it.
func SetStatus(ctx context.Context, span trace.Span, err error) {
	if err == nil || !span.IsRecording() {
		return
	}
	name, timeout := endOf(ctx, err)
	if name != "" {
		span.SetAttributes(attribute.String(AttrCancelCause, name))
		if !timeout {
			return
		}
		span.SetAttributes(attribute.String(AttrErrorType, name))
		span.SetStatus(codes.Error, err.Error())
		return
	}
	span.SetAttributes(attribute.String(AttrErrorType, ErrorType(err)))
	span.SetStatus(codes.Error, err.Error())
}

// endOf names why ctx ended. Where it has not, err may still bring a cause of the framework's, which nobody
// else makes up: that of one call's time limit, or of the term, as the connection saw its end first.
func endOf(ctx context.Context, err error) (name string, timeout bool) {
	if why := context.Cause(ctx); why != nil {
		return cause.Name(ctx), errors.Is(why, context.DeadlineExceeded)
	}
	if c := cause.Of(err); c != nil {
		return c.Name(), c.Timeout()
	}
	return "", false
}

// ErrorType is the error.type of err: the API server's reason, or the type of the first error that is not
// merely wrapped around another.
func ErrorType(err error) string {
	if reason := apierrors.ReasonForError(err); reason != "" {
		return string(reason)
	}
	for {
		inner := unwrap(err)
		if inner == nil || !wraps(err) {
			break
		}
		err = inner
	}
	switch {
	case err == io.EOF: //nolint:errorlint // the error itself, after all that is wrapped around it
		return "io.EOF"
	case err == io.ErrUnexpectedEOF: //nolint:errorlint // as above
		return "io.ErrUnexpectedEOF"
	}
	return fmt.Sprintf("%T", err)
}

func unwrap(err error) error {
	switch err := err.(type) { //nolint:errorlint // one layer at a time
	case interface{ Unwrap() error }:
		return err.Unwrap()
	case interface{ Unwrap() []error }:
		if all := err.Unwrap(); len(all) > 0 {
			return all[0]
		}
	}
	return nil
}

// wraps tells whether err's type says nothing, as those do that their package keeps to itself.
func wraps(err error) bool {
	if _, ok := err.(*url.Error); ok { //nolint:errorlint // one layer at a time
		return true
	}
	_, name, _ := strings.Cut(fmt.Sprintf("%T", err), ".")
	for _, first := range name {
		return unicode.IsLower(first)
	}
	return false
}
