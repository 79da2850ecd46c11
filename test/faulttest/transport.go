// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/test/internal/wirebody"
)

// errReset is what a connection says that the other side has reset.
var errReset = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}

// noticing is how long a call waits for its context to end, when that is to be. A context that is detached does not.
const noticing = 2 * time.Second

// transport is the lowest layer of the program's clients, above the connection.
type transport struct {
	process *process
	next    http.RoundTripper
}

func (p *process) wrap(next http.RoundTripper) http.RoundTripper {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bottoms = append(p.bottoms, next)
	return &transport{process: p, next: next}
}

// WrappedRoundTripper lets others find the transport below.
func (t *transport) WrappedRoundTripper() http.RoundTripper { return t.next }

// RoundTrip makes a call, with its fault.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	p := t.process
	c := describe(req, p.namespace)
	p.noteLease(c, req)
	p.tape.begin(c)
	resp, err := t.play(req, c)
	if err != nil {
		closeBody(req)
		p.tape.end(c, 0, err)
		return nil, err
	}
	status := resp.StatusCode
	p.tape.answered(c, status, req.Context().Err() == nil)
	if c.watch {
		heard := p.tape.touch
		if c.lease {
			heard = func() {}
		}
		resp.Body = &watchBody{
			ReadCloser: resp.Body, gate: &p.gate, heard: heard, gone: req.Context().Done(), closed: make(chan struct{}),
		}
	}
	wirebody.Observe(resp, func(err error) {
		if errors.Is(err, wirebody.ErrClosed) {
			err = nil
		}
		p.tape.end(c, status, err)
	})
	return resp, nil
}

// noteLease notes which Leases the program works with.
func (p *process) noteLease(c *call, req *http.Request) {
	if !c.lease {
		return
	}
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/") // apis, group, version, namespaces, one, leases, name
	if len(parts) == 7 {
		p.tape.set(func(t *tape) { t.leases[leaseName{parts[4], parts[6]}] = true })
	}
}

// play makes a call as its fault wants it.
func (t *transport) play(req *http.Request, c *call) (*http.Response, error) {
	p := t.process
	switch {
	case p.crashed():
		return nil, ErrCrashed
	case c.fault == "":
		return t.send(req)
	case c.fault.applies():
		if c.fault == StaleReset {
			p.gate.shut()
			p.act(Stale, p.life.Done())
		}
		return t.applied(req, c.fault)
	}
	switch c.fault {
	case Stale:
		p.gate.shut()
		fallthrough
	case Deleted, Recreated, Changed:
		p.act(c.fault, p.life.Done())
		return t.send(req)
	case LeadershipLost:
		p.act(c.fault, p.life.Done())
		err := ended(req)
		p.tape.set(func(t *tape) { t.lost = true; c.lost = true })
		if err != nil {
			return nil, err
		}
		return t.send(req) // what still writes now has not noticed
	}
	return p.effect(req, c.fault)
}

// applied has the API server handle a call, and the program not learn what came of it.
func (t *transport) applied(req *http.Request, fault Mode) (*http.Response, error) {
	resp, err := t.send(req)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		return resp, err // nothing was applied
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	return t.process.effect(req, fault)
}

// effect is what the program sees of a fault.
func (p *process) effect(req *http.Request, fault Mode) (*http.Response, error) {
	switch fault {
	case CancelledBefore, CancelledAfter:
		p.end()
		if err := ended(req); err != nil {
			return nil, err
		}
		return nil, errReset
	case CrashedBefore, CrashedAfter:
		p.kill()
		return nil, ErrCrashed
	case LateBefore, LateAfter:
		return nil, context.DeadlineExceeded // what net/http returns then
	case Conflict:
		return refuse(req, http.StatusConflict, metav1.StatusReasonConflict)
	case TooMany:
		p.tape.expect(time.Second + 200*time.Millisecond)
		resp, err := refuse(req, http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests)
		if err == nil {
			resp.Header.Set("Retry-After", "1")
		}
		return resp, err
	case FailedBefore, FailedAfter:
		return refuse(req, http.StatusInternalServerError, metav1.StatusReasonInternalError)
	case FailedLong:
		p.tape.expect(2 * backedOff)
		return refuse(req, http.StatusInternalServerError, metav1.StatusReasonInternalError)
	case TimedOut, TimedOutAfter:
		return refuse(req, http.StatusGatewayTimeout, metav1.StatusReasonTimeout)
	}
	return nil, errReset
}

// send makes a call that ends with the process.
func (t *transport) send(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	stop := context.AfterFunc(t.process.life, func() { cancel(ErrCrashed) })
	resp, err := t.next.RoundTrip(t.process.narrow(req).WithContext(ctx))
	if err != nil {
		stop()
		cancel(nil)
		if t.process.crashed() && req.Context().Err() == nil {
			return nil, ErrCrashed
		}
		return nil, err
	}
	wirebody.Observe(resp, func(error) { stop(); cancel(nil) })
	return resp, nil
}

// ended waits for the end of a call's context, which is near. It returns nil if that does not come.
func ended(req *http.Request) error {
	limit := time.NewTimer(noticing)
	defer limit.Stop()
	select {
	case <-req.Context().Done():
		return req.Context().Err()
	case <-limit.C:
		return nil
	}
}

func refuse(req *http.Request, code int, reason metav1.StatusReason) (*http.Response, error) {
	closeBody(req)
	body, err := wirebody.Status(code, reason, "refused by faulttest")
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: http.StatusText(code), StatusCode: code, Proto: "HTTP/2.0", ProtoMajor: 2,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)), Request: req,
	}, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // nobody reads it
	}
}
