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
// (C18). Nothing that the fence refuses has been applied.
func (c *call) send(req *http.Request, needed *term.Term) (*http.Response, error) {
	began := time.Now()
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		resp, err := c.lane.next.RoundTrip(c.outgoing(req, needed))
		switch {
		case needed == nil:
			return resp, err
		case err != nil:
			return nil, withEnd(needed, err)
		case resp.StatusCode != http.StatusForbidden:
			return resp, nil
		}
		message, seen := refusal(resp)
		if message == "" {
			return resp, nil
		}
		if !needed.After(seen) {
			needed.End(cause.TermRefused, message)
			return resp, nil
		}
		again, err := rewind(req)
		if err != nil || time.Since(began) > retryFor {
			return resp, nil //nolint:nilerr // the answer says more than that it cannot be tried again
		}
		_ = resp.Body.Close()
		if err := pause(c.ctx, wait); err != nil {
			return nil, err
		}
		req = again
	}
}

// withEnd makes the error of a call say that its term is over. The connection may report its own end first,
// which is only how the call came to know.
func withEnd(needed *term.Term, err error) error {
	if ended := needed.Err(); ended != nil && !errors.Is(err, cause.LeadershipLost) {
		return fmt.Errorf("%w (%w)", ended, err)
	}
	return err
}

// refusal is the fence's message, and the resourceVersion of the lease that it went by; both are empty if
// the answer is not the fence's. The body can be read again.
func refusal(resp *http.Response) (message, seen string) {
	read, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusalSize))
	resp.Body = &replayed{Reader: io.MultiReader(bytes.NewReader(read), failing{err}, resp.Body), Closer: resp.Body}
	match := regexp.MustCompile(refusalPattern).FindSubmatch(read)
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

func rewind(req *http.Request) (*http.Request, error) {
	again := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return again, nil
	}
	if req.GetBody == nil {
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
