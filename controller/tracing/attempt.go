package tracing

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/lanyard-k8s/lanyard/controller/apicall"
	"github.com/lanyard-k8s/lanyard/controller/internal/resend"
)

// maxStatus is how much of an error's body is kept to find its reason in.
const maxStatus = 16 << 10

// attempt is one request on its way, until its response has been read or closed.
type attempt struct {
	client  *Client
	ctx     context.Context //ctxvet:ok ctxfield: the request's own, as http.Request keeps it
	req     *http.Request
	span    trace.Span
	call    apicall.Call
	path    string // its template
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
	a.span.SetAttributes(attribute.Int(AttrStatusCode, resp.StatusCode))
	if echoed := resp.Header.Get(headerAuditID); echoed != "" && echoed != a.auditID {
		a.span.SetAttributes(attribute.String(AttrServerAuditID, echoed))
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
	if wait, ok := resend.AfterError(a.req, err); ok {
		a.again(wait, ThrottleRetryAfter)
	}
	a.end(err, false)
}

// again notes that another attempt is to be expected.
func (a *attempt) again(wait time.Duration, reason string) {
	a.client.attempts.add(a.key, failed{number: a.number, at: time.Now(), wait: wait, reason: reason})
}

// end may be called more than once. whole tells that the response was read to its end.
func (a *attempt) end(err error, whole bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return
	}
	a.ended = true
	if err == nil && !whole && a.ctx.Err() != nil {
		err = a.ctx.Err() // given up half way
	}
	if err != nil {
		SetStatus(a.ctx, a.span, err)
	} else {
		a.judge()
	}
	a.span.End()
}

// judge sets the status after a response. Not to find what is read, and to come second, are answers like
// any other.
func (a *attempt) judge() {
	code := a.resp.StatusCode
	if wait, ok := resend.AfterResponse(a.resp); ok {
		a.again(wait, ThrottleRetryAfter)
	}
	if code == http.StatusForbidden && bytes.Contains(a.status, []byte(resend.Denied+resend.Fenced)) {
		a.again(fenceWait, ThrottleFence)
	}
	if code < 400 || code == http.StatusConflict || code == http.StatusNotFound && a.call.ReadOnly() {
		return
	}
	a.span.SetAttributes(attribute.String(AttrErrorType, reason(a.resp, a.status)))
	a.span.SetStatus(codes.Error, "")
}

// keep notes the beginning of an error's body as it is read: nothing waits for it.
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
