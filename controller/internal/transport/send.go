// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/conns"
	"github.com/lanyard-k8s/lanyard/controller/internal/fence"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/peek"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// The server's fence looks at its own copy of the Lease, which is some milliseconds old. So a new
// leader may be refused for a moment, and waits.
const (
	firstRetry = 2 * time.Millisecond
	lastRetry  = 100 * time.Millisecond
	retryFor   = 5 * time.Second
)

// send sends a request on ctx. needed is the term that it needs, or nil. If the server's fence
// refuses it by a state of the Lease from before the term, it is sent again. If the fence refuses
// it by any other state, the term is over, whatever this process believes. The server has not
// applied what the fence refuses.
func (c *call) send(
	ctx context.Context,
	req *http.Request,
	needed *term.Term,
) (*http.Response, error) {
	if needed == nil {
		return c.attempt(ctx, req, nil)
	}
	began := time.Now()
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		resp, err := c.attempt(ctx, req, needed)
		message, seen := c.refusal(resp, err)
		stale := message != "" && needed.After(seen)
		if message != "" && !stale {
			needed.End(cause.TermRefused, message)
		}
		if !stale || time.Since(began) > retryFor {
			return resp, withTermEnd(needed, err)
		}
		again, failed := conns.Rewind(req)
		if failed != nil {
			// err says more than that the request cannot be sent again.
			return resp, withTermEnd(needed, err)
		}
		if err == nil {
			_ = resp.Body.Close()
		}
		c.answered()
		c.reached(work.Held)
		if err := c.pause(ctx, wait); err != nil {
			return nil, err
		}
		if c.Unit != nil {
			c.Unit.CallRepeated(&c.Outstanding)
		}
		req = again
	}
}

// attempt sends a request once.
func (c *call) attempt(
	ctx context.Context,
	req *http.Request,
	needed *term.Term,
) (*http.Response, error) {
	c.req = outgoing(ctx, req, &c.Call.Call, needed)
	if c.upgrade {
		// client-go's WebSockets change the headers and the URL that they are given.
		c.req = c.req.Clone(ctx)
	}
	c.sent = time.Now()
	c.reached(work.Sent)
	c.moved.Sent += max(0, req.ContentLength)
	resp, err := c.transport.RoundTrip(c.req)
	if len(c.observers) > 0 && c.Verb != "watch" {
		attempt := observe.Attempt{Took: time.Since(c.sent)}
		if err == nil {
			attempt.Code = resp.StatusCode
		}
		c.observers.CallAttempted(ctx, &c.Call, attempt)
	}
	return resp, err
}

// pause waits for the server's fence to hear of the term.
func (c *call) pause(ctx context.Context, d time.Duration) error {
	began := time.Now()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	err := ctx.Err() // also if both were ready
	c.observers.CallThrottled(ctx, observe.Throttle{
		Reason: report.ThrottleFence, Began: began, Wait: time.Since(began),
	})
	return err
}

// withTermEnd makes the error of a call say that its term is over. The connection may report its
// own end first, which is only how the call came to know.
func withTermEnd(needed *term.Term, err error) error {
	if err == nil {
		return nil
	}
	if ended := needed.Err(); ended != nil && !errors.Is(err, cause.LeadershipLost) && !errors.Is(err, cause.ShardLost) {
		return fmt.Errorf("%w (%w)", ended, err)
	}
	return err
}

// refusal returns the fence's message, and the resourceVersion of the Lease that the fence went by.
// Both are empty if the answer is not the fence's. The body can be read again.
func (c *call) refusal(resp *http.Response, err error) (message, seen string) {
	switch {
	case err != nil && c.upgrade:
		// client-go's WebSockets make an error of the answer, of which they have read only the
		// beginning. A version that is missing says nothing there.
		if message, seen = fence.Parse(err.Error()); seen == "" {
			return "", ""
		}
		return message, seen
	case err != nil, resp.StatusCode != http.StatusForbidden:
		return "", ""
	}
	return fence.Parse(string(peek.Body(resp)))
}

// outgoing returns a request as it is sent: on ctx, and with the time for which the API server may
// work on it, which ends with ctx and with the term. The server gives up a cancelled request by
// itself, but not one whose sender was stopped or cut off.
func outgoing(
	ctx context.Context,
	req *http.Request,
	call *report.Call,
	t *term.Term,
) *http.Request {
	left, limited := timeLeft(ctx, t)
	tell := limited && call.Path == "" && !apicall.LongRunning(call) &&
		!strings.Contains(req.URL.RawQuery, "timeout=")
	if !tell && ctx == req.Context() {
		return req
	}
	sent := req.WithContext(ctx)
	if tell {
		query := "timeout=" + left.String()
		if req.URL.RawQuery != "" {
			query = req.URL.RawQuery + "&" + query
		}
		sent.URL = new(url.URL)
		*sent.URL = *req.URL
		sent.URL.RawQuery = query
	}
	return sent
}

// timeLeft returns the time until the context's deadline or the term's end, in whole milliseconds.
// The deadline is rounded up, because the context ends the call here first; the term's end is
// rounded down. It is never zero, which would mean no limit. limited is false without a deadline
// and a term.
func timeLeft(ctx context.Context, t *term.Term) (left time.Duration, limited bool) {
	deadline, limited := ctx.Deadline()
	left = time.Until(deadline).Truncate(time.Millisecond) + time.Millisecond
	if t != nil {
		if valid := t.Remaining().Truncate(time.Millisecond); !limited || valid < left {
			left = valid
			limited = true
		}
	}
	return max(left, time.Millisecond), limited
}
