// SPDX-License-Identifier: Apache-2.0

// Package spanstatus sets the status of spans by how their work ended.
package spanstatus

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
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

// Set sets the status of a span whose work was done on ctx and returned err. Success leaves the
// status unset. If ctx was cancelled on purpose, as by a shutdown, the status stays unset too, and
// an attribute names the cause. A time-out and any other error set the status, with [ErrorType].
// Set reads from ctx why the work ended, because err need not say it.
func Set(ctx context.Context, span trace.Span, err error) {
	if err == nil || !span.IsRecording() {
		return
	}
	name, timeout := endOf(ctx, err)
	if name != "" {
		span.SetAttributes(attribute.String(semconv.AttrCancelCause, name))
		if !timeout {
			return
		}
		span.SetAttributes(attribute.String(semconv.AttrErrorType, name))
		span.SetStatus(codes.Error, err.Error())
		return
	}
	span.SetAttributes(attribute.String(semconv.AttrErrorType, ErrorType(err)))
	span.SetStatus(codes.Error, err.Error())
}

// endOf returns the name of the cause for which ctx ended. If ctx has not ended, err may still have
// a cause of the framework: the time limit of one call, or the end of the term, which the
// connection saw first.
func endOf(ctx context.Context, err error) (name string, timeout bool) {
	if why := context.Cause(ctx); why != nil {
		return cause.Name(ctx), errors.Is(why, context.DeadlineExceeded)
	}
	if c := cause.Of(err); c != nil {
		return c.Name(), c.Timeout()
	}
	return "", false
}

// ErrorType returns the error.type of err: the API server's reason, or the type of the first error
// that does not only wrap another.
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

// wraps reports whether the type of err says nothing: it is a type that its package does not
// export.
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
