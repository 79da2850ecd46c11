// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/clientgo"
	"github.com/lanyard-k8s/lanyard/controller/internal/conns"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// roundTripper makes the calls of a manager's clients.
type roundTripper struct {
	next        http.RoundTripper
	read, write time.Duration // limits of an item's calls; zero or less: none
	observers   observe.Observers
	routes      *routes
	orphans     *orphans
	writes      *writes
	upgrader    http.RoundTripper // sends the calls; nil if the routes do
}

// WrappedRoundTripper returns the transport below, whose TLS configuration client-go looks for.
func (t *roundTripper) WrappedRoundTripper() http.RoundTripper { return t.next }

// RoundTrip makes a call. Its error is the context's cause if the context has ended.
func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	c := &call{observers: t.observers, orphans: t.orphans, req: req}
	c.Call.Call = apicall.Parse(req)
	if ctx.Err() != nil {
		t.orphans.ended(ctx, &c.Call.Call, "")
		return nil, c.withCause(ctx.Err())
	}
	c.Start = time.Now()
	c.Unit = work.From(ctx)
	ctx, err := c.adopt(ctx)
	if err != nil {
		return nil, err
	}
	if c.Verb == "watch" && c.Unit != nil && c.Unit.Kind == report.Item {
		c.at = callSite() // client-go reads its events on a goroutine of its own
	}
	c.feed = feedOf(c.Unit, c.Verb, req)
	if c.Verb == "watch" && c.feed.streams != nil {
		if gone := goneIfAhead(c.feed, req, t); gone != nil {
			return gone, nil
		}
	}
	needed := c.neededTerm()
	if needed != nil {
		if err := needed.Check(); err != nil {
			return nil, fmt.Errorf("%s refused before it was sent: %w", c.Call.Call, err)
		}
	}
	writes := t.writes.begins(c)
	c.begin(ctx)
	if err := t.acquire(ctx, c, needed); err != nil {
		c.end(ctx.Err() != nil) // it was never sent, and its Waiting says so
		return nil, c.withCause(err)
	}
	if limit := t.limit(c); limit > 0 {
		ctx = c.setLimit(ctx, limit)
	}
	if t.upgrader != nil {
		ctx = c.setUpgrade(ctx, needed)
	}
	resp, err := c.send(ctx, req, needed)
	c.feed.answered(ctx, &c.Call.Call, resp, err)
	resp, err = c.finish(resp, err)
	if writes {
		t.writes.ended(ctx, c, resp, err)
	}
	if len(t.observers) > 0 && c.Verb != "watch" {
		tellRetry(t.observers, req, resp, err)
	}
	return resp, err
}

// acquire finds a transport for a call, and waits for room on it.
func (t *roundTripper) acquire(ctx context.Context, c *call, needed *term.Term) (err error) {
	if t.upgrader != nil {
		c.pool = t.routes.upgrade(needed)
		c.transport = conns.Single(t.upgrader)
		return c.pool.Ended()
	}
	c.pool = t.routes.pool(c, needed)
	if c.transport, err = c.pool.TryAcquire(); c.transport != nil || err != nil {
		return err
	}
	began := time.Now()
	if c.Unit != nil {
		c.Unit.CallWaits(&c.Outstanding, true)
	}
	c.transport, err = c.pool.Acquire(ctx)
	if c.Unit != nil {
		c.Unit.CallWaits(&c.Outstanding, err != nil)
	}
	t.observers.CallThrottled(ctx, observe.Throttle{
		Reason: report.ThrottleConnection, Began: began, Wait: time.Since(began),
	})
	return err
}

// limit returns the time for a call of an item; zero or less for no limit.
func (t *roundTripper) limit(c *call) time.Duration {
	switch {
	case c.Unit == nil || c.Unit.Kind != report.Item || c.Verb == "watch":
		return 0
	case apicall.ReadOnly(&c.Call.Call):
		return t.read
	default:
		return t.write
	}
}

// finish ends a call that has failed, or makes the end of the answer's body the call's.
func (c *call) finish(resp *http.Response, err error) (*http.Response, error) {
	ctx := c.context()
	if err == nil && ctx.Err() != nil && resp.Header.Get("Retry-After") != "" {
		// client-go would look at the context before it tries again, and return the context's error
		// without the cause.
		_ = resp.Body.Close()
		err = ctx.Err()
	}
	if c.Verb == "watch" && clientgo.StreamsList(c.req) {
		resp, err = clientgo.WithoutSleep(resp, err)
	}
	if err != nil {
		c.orphans.ended(ctx, &c.Call.Call, "")
		err = c.withCause(err)
		c.end(ctx.Err() != nil)
		return nil, err
	}
	c.reached(work.Reading)
	c.setBody(resp.Body)
	if writable, ok := resp.Body.(io.Writer); ok {
		resp.Body = &writableBody{call: c, Writer: writable}
	} else {
		resp.Body = c
	}
	return resp, nil
}

// tellRetry tells for how long client-go will wait before it makes a call again. It is told
// beforehand, because nothing connects the next attempt to this one.
func tellRetry(observers observe.Observers, req *http.Request, resp *http.Response, err error) {
	var (
		wait    time.Duration
		retries bool
	)
	if err != nil {
		wait, retries = clientgo.RetriesAfterError(req, err)
	} else {
		wait, retries = clientgo.RetriesAfterResponse(resp)
	}
	if !retries {
		return
	}
	if deadline, ok := req.Context().Deadline(); ok {
		wait = min(wait, time.Until(deadline))
	}
	observers.CallThrottled(req.Context(), observe.Throttle{
		Reason: report.ThrottleRetryAfter, Began: time.Now(), Wait: wait, Ahead: true,
	})
}
