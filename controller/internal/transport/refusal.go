package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/resend"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

// What the fence in the API server says when it refuses a write, in whatever encoding: the second part is the
// resourceVersion of the lease that it went by, and may be missing.
const (
	refusalPattern = resend.Denied + `(` + resend.Fenced + `[ :](?:[ -~]*?resourceVersion=(\d+)\]|[ -~]*))`
	maxRefusalSize = 64 << 10
)

// The server looks at its own copy of the lease, which is some milliseconds old. So a new leader may be
// refused for a moment, and waits.
const (
	firstRetry = 2 * time.Millisecond
	lastRetry  = 100 * time.Millisecond
	retryFor   = 5 * time.Second
)

// send sends the call's request, which may need a term. Where the server's fence refuses it by a state of the
// lease from before the term, it is sent again; by any other, the term is over, whatever this process believes
// (C18). Nothing that the fence refuses has been applied. observer, nil for nobody, is told of each attempt.
func (c *call) send(req *http.Request, needed *term.Term, observer Observer) (*http.Response, error) {
	began := time.Now()
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		resp, err := c.attempt(req, needed, observer)
		if needed == nil {
			return resp, err
		}
		message, seen := c.refusal(resp, err)
		stale := message != "" && needed.After(seen)
		if message != "" && !stale {
			needed.End(cause.TermRefused, message)
		}
		if !stale || time.Since(began) > retryFor {
			return resp, withEnd(needed, err)
		}
		again, failed := rewind(req)
		if failed != nil {
			return resp, withEnd(needed, err) // which says more than that it cannot be tried again
		}
		if err == nil {
			_ = resp.Body.Close()
		}
		if err := c.pause(wait, observer); err != nil {
			return nil, err
		}
		if c.unit != nil { // an attempt costs as much as any other
			c.unit.End(&c.Call, false)
			c.unit.Begin(&c.Call)
		}
		req = again
	}
}

// attempt sends the request once.
func (c *call) attempt(req *http.Request, needed *term.Term, observer Observer) (*http.Response, error) {
	outgoing := c.outgoing(req, needed)
	if c.upgrade {
		// client-go's WebSockets change the headers and the URL that they are given.
		outgoing = outgoing.Clone(c.ctx)
	}
	sent := time.Now()
	resp, err := c.lane.next.RoundTrip(outgoing)
	if observer != nil {
		code := 0
		if err == nil {
			code = resp.StatusCode
		}
		observer.Called(c.ctx, &c.Call.Call, code, time.Since(sent))
	}
	return resp, err
}

// pause waits for the server's fence to hear of the term.
func (c *call) pause(d time.Duration, observer Observer) error {
	if observer != nil {
		defer observer.Waited(c.ctx, tracing.ThrottleFence, time.Now())
	}
	return pause(c.ctx, d)
}

// withEnd makes the error of a call say that its term is over. The connection may report its own end first,
// which is only how the call came to know.
func withEnd(needed *term.Term, err error) error {
	if err == nil {
		return nil
	}
	if ended := needed.Err(); ended != nil && !errors.Is(err, cause.LeadershipLost) {
		return fmt.Errorf("%w (%w)", ended, err)
	}
	return err
}

// refusal is the fence's message, and the resourceVersion of the lease that it went by; both are empty if
// the answer is not the fence's. The body can be read again.
func (c *call) refusal(resp *http.Response, err error) (message, seen string) {
	if err != nil {
		// client-go's WebSockets make an error of the answer, of which they have read only the beginning: a
		// version that is missing says nothing there.
		if !c.upgrade {
			return "", ""
		}
		if message, seen = find([]byte(err.Error())); seen == "" {
			return "", ""
		}
		return message, seen
	}
	if resp.StatusCode != http.StatusForbidden {
		return "", ""
	}
	read, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusalSize))
	resp.Body = &replayed{Reader: io.MultiReader(bytes.NewReader(read), failing{err}, resp.Body), Closer: resp.Body}
	return find(read)
}

func find(text []byte) (message, seen string) {
	match := regexp.MustCompile(refusalPattern).FindSubmatch(text)
	if match == nil {
		return "", ""
	}
	return string(match[1]), string(match[2])
}

type replayed struct {
	io.Reader
	io.Closer
}

// failing is a reader that fails, or is at its end, as another has.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

// canRewind tells whether a request can be sent again.
func canRewind(req *http.Request) bool { return !hasBody(req) || req.GetBody != nil }

// rewind is the request to send again.
func rewind(req *http.Request) (*http.Request, error) {
	again := req.Clone(req.Context())
	if !hasBody(req) {
		return again, nil
	}
	if !canRewind(req) {
		return nil, errors.New("the body cannot be read again")
	}
	var err error
	again.Body, err = req.GetBody()
	return again, err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
