package transport

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// tellDeadline tells the API server how long it may work on a request (C26): as long as its context
// lasts, and not beyond the term. A cancelled request is given up by the server too, but one whose sender
// was stopped, or cut off, is not.
func tellDeadline(ctx context.Context, req *http.Request, c *work.Call, t *term.Term) *http.Request {
	left, ok := timeLeft(ctx, t)
	if !ok || c.Verb == "watch" || c.HTTPRequest != "" || c.LongRunning() {
		return req
	}
	query := req.URL.RawQuery
	if query != "" {
		if req.URL.Query().Has("timeout") {
			return req
		}
		query += "&"
	}
	limited := *req
	limited.URL = new(url.URL)
	*limited.URL = *req.URL
	limited.URL.RawQuery = query + "timeout=" + left.String()
	return &limited
}

// timeLeft is in whole milliseconds: rounded up where the context's own deadline ends the call here first,
// down where the term's end is the limit. It is never zero, which would mean no limit.
func timeLeft(ctx context.Context, t *term.Term) (time.Duration, bool) {
	deadline, ok := ctx.Deadline()
	left := time.Until(deadline).Truncate(time.Millisecond) + time.Millisecond
	if t != nil {
		if valid := t.Remaining().Truncate(time.Millisecond); !ok || valid < left {
			left, ok = valid, true
		}
	}
	return max(left, time.Millisecond), ok
}
