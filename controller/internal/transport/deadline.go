package transport

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// outgoing is the request as it is sent: on the call's context, and with the time that the API server may work
// on it (C26), which lasts as long as the context does, and not beyond the term. A cancelled request is given
// up by the server too, but one whose sender was stopped, or cut off, is not.
func (c *call) outgoing(req *http.Request, t *term.Term) *http.Request {
	left, ok := timeLeft(c.ctx, t)
	tell := ok && c.Other == "" && !c.LongRunning() && !strings.Contains(req.URL.RawQuery, "timeout=")
	if !tell && c.ctx == req.Context() {
		return req
	}
	outgoing := req.WithContext(c.ctx)
	if tell {
		query := "timeout=" + left.String()
		if req.URL.RawQuery != "" {
			query = req.URL.RawQuery + "&" + query
		}
		outgoing.URL = new(url.URL)
		*outgoing.URL = *req.URL
		outgoing.URL.RawQuery = query
	}
	return outgoing
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
