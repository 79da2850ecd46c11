// SPDX-License-Identifier: Apache-2.0

package tracing_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/spanstatus"
	"github.com/lanyard-k8s/lanyard/controller/internal/spantest"
	"github.com/lanyard-k8s/lanyard/controller/tracing"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

func TestTheTypeOfAnErrorIsItsReasonOrTheFirstTypeThatSaysSomething(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{}, "a", errors.New("x"))
	for want, err := range map[string]error{
		"Conflict":            fmt.Errorf("update: %w", conflict),
		"*net.DNSError":       &url.Error{Op: "Get", Err: fmt.Errorf("dial: %w", &net.DNSError{})},
		"*net.OpError":        &net.OpError{Err: errors.New("x")},
		"io.EOF":              &url.Error{Err: io.EOF},
		"*errors.errorString": fmt.Errorf("more: %w", errors.Join(errors.New("a"), conflict)).(interface{ Unwrap() error }).Unwrap().(interface{ Unwrap() []error }).Unwrap()[0],
	} {
		if got := tracing.ErrorType(err); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
}

func TestAReconcilesErrorIsItsStatus(t *testing.T) {
	for name, c := range map[string]struct {
		err                    error
		status                 codes.Code
		errorType, cancelCause string
	}{
		"none":                               {nil, codes.Unset, "", ""},
		"a failure":                          {fmt.Errorf("x: %w", io.ErrUnexpectedEOF), codes.Error, "io.ErrUnexpectedEOF", ""},
		"one call's time limit":              {fmt.Errorf("x: %w", cause.CallTimeout), codes.Error, "call_timeout", "call_timeout"},
		"a term that the connection saw end": {cause.LeadershipLost.With(&cause.TermEnded{}), codes.Unset, "", "leadership_lost"},
	} {
		r := spantest.Record(sdktrace.AlwaysSample())
		ctx, root := r.Reconcile(t.Context())
		spanstatus.Set(ctx, root, c.err)
		root.End()
		span := r.One(t, "reconcile test")
		if span.Status.Code != c.status || spantest.Value(span, semconv.AttrErrorType) != c.errorType || spantest.Value(span, semconv.AttrCancelCause) != c.cancelCause {
			t.Errorf("%s: status %v, attributes %v", name, span.Status, span.Attributes)
		}
	}
}
