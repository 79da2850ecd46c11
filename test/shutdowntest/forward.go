// SPDX-License-Identifier: Apache-2.0

package shutdowntest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"
)

// errAborted ends a request without an answer, or in the middle of it.
type errAborted struct{ how string }

func (e errAborted) Error() string { return e.how }

var errGivenUp = errAborted{"given up by the client"}

// ServeHTTP takes one request through the rules and to the API server. It is for the server to call.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	p.handlers.Add(1)
	defer p.handlers.Done()
	record, rule := p.begin(req)
	e := &exchange{proxy: p, rule: rule, record: record, w: w, req: req}
	how, err := e.handle(req.Context())
	if err != nil {
		how = err.Error()
	}
	p.end(record, how)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

// exchange is a request and its answer.
type exchange struct {
	proxy  *Proxy
	rule   *Rule
	record *Request
	w      http.ResponseWriter
	req    *http.Request
}

// handle does what the rule says before a request is forwarded.
func (e *exchange) handle(ctx context.Context) (how string, err error) {
	switch e.rule.fault.kind {
	case pass:
		e.rule.enter(e.record)
		defer e.rule.leave(e.record)
	case stall:
		if !e.hold(ctx, nil) {
			return "", errGivenUp
		}
	case delayed:
		timer := time.NewTimer(e.rule.fault.delay)
		defer timer.Stop()
		if !e.hold(ctx, timer.C) {
			return "", errGivenUp
		}
	case cut:
		e.rule.meet()
		return "", errAborted{"cut by the proxy"}
	case cutConnection:
		e.rule.meet()
		_ = connOf(ctx).Close() // it is to be gone
		return "", errAborted{"cut by the proxy, with the connection"}
	case answer:
		defer e.rule.meet()
		return writeStatus(e.w, e.rule.fault)
	}
	return e.forward(ctx)
}

func (e *exchange) hold(ctx context.Context, limit <-chan time.Time) bool {
	return e.rule.hold(e.record, ctx.Done(), limit)
}

// forward asks the API server and does what the rule says with the answer.
func (e *exchange) forward(ctx context.Context) (how string, err error) {
	resp, err := e.proxy.upstream.RoundTrip(e.proxy.outgoing(e.req))
	switch {
	case err != nil && ctx.Err() != nil:
		return "", errGivenUp
	case err != nil:
		return "", errAborted{"not answered by the API server: " + err.Error()}
	}
	defer resp.Body.Close()
	switch e.rule.fault.kind {
	case cutAnswer:
		e.rule.meet()
		return "", errAborted{"cut by the proxy after the API server's answer"}
	case blackHole:
		if !e.hold(ctx, nil) {
			return "", errAborted{"given up by the client after the API server's answer"}
		}
	}
	maps.Copy(e.w.Header(), resp.Header)
	e.w.WriteHeader(resp.StatusCode)
	err = http.NewResponseController(e.w).Flush() // a watch may have nothing to say for long
	if err == nil {
		err = e.copyBody(ctx, resp.Body)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = errGivenUp
		}
		return "", fmt.Errorf("answered %d, then %w", resp.StatusCode, err)
	}
	return fmt.Sprintf("answered %d", resp.StatusCode), nil
}

// outgoing is the request as it goes to the API server, where the proxy's credentials are added.
func (p *Proxy) outgoing(req *http.Request) *http.Request {
	out := req.Clone(req.Context())
	out.URL.Scheme, out.URL.Host = p.base.Scheme, p.base.Host
	if prefix := p.base.EscapedPath(); prefix != "" && prefix != "/" {
		out.URL = p.base.JoinPath(req.URL.EscapedPath())
		out.URL.RawQuery = req.URL.RawQuery
	}
	out.Host, out.RequestURI = "", ""
	out.Header.Del("Authorization")
	if req.ContentLength == 0 {
		out.Body = nil
	}
	return out
}

// copyBody passes each piece on as soon as it is there, as watches need it.
func (e *exchange) copyBody(ctx context.Context, body io.Reader) error {
	half := e.rule.fault.kind == halfBody
	buffer := make([]byte, 32<<10)
	for {
		n, err := body.Read(buffer)
		piece := buffer[:n]
		if half && n > 0 {
			half = false
			if err := e.pass(piece[:n/2]); err != nil {
				return err
			}
			if !e.hold(ctx, nil) {
				return errGivenUp
			}
			piece = piece[n/2:]
		}
		if err := e.pass(piece); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errAborted{"broken off by the API server: " + err.Error()}
		}
	}
}

func (e *exchange) pass(piece []byte) error {
	return errors.Join(write(e.w, piece), http.NewResponseController(e.w).Flush())
}

func write(w io.Writer, piece []byte) error {
	_, err := w.Write(piece)
	return err
}
