// SPDX-License-Identifier: Apache-2.0

package clientspans

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/lanyard-k8s/lanyard/controller/internal/clientgo"
	"github.com/lanyard-k8s/lanyard/controller/internal/fence"
	"github.com/lanyard-k8s/lanyard/controller/internal/spanstatus"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// maxStatus is the number of bytes of an error's body in which its reason is looked for.
const maxStatus = 16 << 10

// attempt is one request, until its response has been read or closed.
type attempt struct {
	client  *Client
	req     *http.Request // as it was sent; its context has the span
	span    trace.Span
	call    report.Call
	path    string // the template of its path
	key     attemptKey
	number  int // 0 for the first
	auditID string

	resp *http.Response // nil before there is one

	mu     sync.Mutex
	ended  bool
	status []byte // the first of an error's body
}

// answered notes the response, and has its body end the span.
func (a *attempt) answered(resp *http.Response) {
	a.resp = resp
	a.span.SetAttributes(attribute.Int(semconv.AttrStatusCode, resp.StatusCode))
	if echoed := resp.Header.Get(headerAuditID); echoed != "" && echoed != a.auditID {
		a.span.SetAttributes(attribute.String(semconv.AttrServerAuditID, echoed))
	}
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols, // the body is a connection from here on
		resp.Body == nil, resp.Body == http.NoBody:
		a.end(nil, true)
	default:
		resp.Body = &body{ReadCloser: resp.Body, attempt: a}
	}
}

func (a *attempt) fail(err error) {
	if wait, ok := clientgo.RetriesAfterError(a.req, err); ok {
		a.again(wait, report.ThrottleRetryAfter)
	}
	a.end(err, false)
}

const headerAuditID = "Audit-Id"

// again notes that client-go will make another attempt.
func (a *attempt) again(wait time.Duration, reason report.Throttle) {
	a.client.attempts.add(
		a.key,
		failed{number: a.number, at: time.Now(), wait: wait, reason: reason},
	)
}

// end ends the span; only the first end counts. whole reports whether the response was read to its
// end.
func (a *attempt) end(err error, whole bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return
	}
	a.ended = true
	if err == nil && !whole && a.req.Context().Err() != nil {
		err = a.req.Context().Err() // its context ended before it was read
	}
	if err != nil {
		spanstatus.Set(a.req.Context(), a.span, err)
	} else {
		a.setStatus()
	}
	a.span.End()
}

// setStatus sets the span's status after a response. A read that finds nothing, and a conflict, are
// no errors.
func (a *attempt) setStatus() {
	code := a.resp.StatusCode
	if wait, ok := clientgo.RetriesAfterResponse(a.resp); ok {
		a.again(wait, report.ThrottleRetryAfter)
	}
	if code == http.StatusForbidden && bytes.Contains(a.status, []byte(fence.Denied+fence.Fenced)) {
		a.again(fenceWait, report.ThrottleFence)
	}
	if code < 400 || code == http.StatusConflict ||
		code == http.StatusNotFound && apicall.ReadOnly(&a.call) {
		return
	}
	a.span.SetAttributes(attribute.String(semconv.AttrErrorType, reason(a.resp, a.status)))
	a.span.SetStatus(codes.Error, "")
}

// keep keeps the beginning of an error's body while the caller reads it.
func (a *attempt) keep(read []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.resp.StatusCode >= 400 && !a.ended {
		a.status = append(a.status, read[:min(len(read), maxStatus-len(a.status))]...)
	}
}

type body struct {
	io.ReadCloser
	attempt *attempt
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 && b.attempt.resp.StatusCode >= 400 {
		b.attempt.keep(p[:n])
	}
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		b.attempt.end(nil, true)
	default:
		b.attempt.end(err, false)
	}
	return n, err
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.attempt.end(nil, false)
	return err
}
