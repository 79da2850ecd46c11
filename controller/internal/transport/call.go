// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/conns"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// call is one call, outstanding until its answer has been read or closed. It is the answer's body
// too, because every call has one.
type call struct {
	observe.Call
	observers observe.Observers
	orphans   *orphans           // nil for a Lease
	req       *http.Request      // as it was last sent; its context is the call's
	cancel    context.CancelFunc // of the call's own context; nil if that is the caller's
	pool      *conns.Pool
	transport *conns.Transport // nil before the call has room on one
	body      io.ReadCloser
	reader    io.Reader // of body
	feed      feed
	at        string // the line that made the call; empty if it is that of this goroutine
	ended     atomic.Bool

	sent     time.Time // the last attempt; zero before the first and while the fence is waited for
	moved    work.Traffic
	received atomic.Int64 // bytes of the answer's body

	before string // the version of the object before this write, if that is known

	upgrade bool // client-go makes the connection: see upgrade.go
}

// watchBuffer is the number of bytes of a watch that are read at a time. Its decoder reads each
// event, and before it the event's length; HTTP/2 tells the server what was read after every four
// kilobytes, with a system call. At the beginning of a watch with many objects that was a tenth of
// the program's CPU time.
const watchBuffer = 64 << 10

// setBody sets the answer's body, whose end is the call's.
func (c *call) setBody(body io.ReadCloser) {
	c.body = body
	c.reader = body
	if c.Verb == "watch" {
		c.reader = bufio.NewReaderSize(body, watchBuffer)
	}
}

// context returns the call's context. The request carries it, as net/http has it.
func (c *call) context() context.Context { return c.req.Context() }

// setLimit returns the context for a call that is given some time.
func (c *call) setLimit(ctx context.Context, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, cause.CallTimeout)
	if above := c.cancel; above != nil {
		c.cancel = func() {
			cancel()
			above()
		}
	} else {
		c.cancel = cancel
	}
	return ctx
}

// neededTerm returns the term without which the call must not be sent, or nil. Reads need none.
func (c *call) neededTerm() *term.Term {
	if c.Unit == nil || apicall.ReadOnly(&c.Call.Call) {
		return nil
	}
	return c.Unit.Term
}

// begin accounts for the call.
func (c *call) begin(ctx context.Context) {
	if c.Unit != nil {
		c.Unit.CallBegan(&c.Outstanding)
	}
	c.observers.CallBegan(ctx, &c.Call)
}

// reached notes how far the call has come.
func (c *call) reached(phase work.Phase) {
	if c.Unit != nil {
		c.Unit.CallReached(&c.Outstanding, phase)
	}
}

// end ends the call; only the first end counts. interrupted reports whether its context ended it.
func (c *call) end(interrupted bool) {
	if c.ended.Swap(true) {
		return
	}
	if c.transport != nil {
		c.pool.Release(c.transport)
	}
	c.feed.close()
	if c.Unit != nil {
		c.answered()
		c.moved.Received += c.received.Load()
		c.Unit.CallEnded(&c.Outstanding, c.moved, interrupted)
	}
	if c.cancel != nil {
		c.cancel()
	}
}

// answered notes that nothing is on the wire any more.
func (c *call) answered() {
	if !c.sent.IsZero() {
		c.moved.OnWire += time.Since(c.sent)
		c.sent = time.Time{}
	}
}

// withCause makes the error of the call say that the call's context has ended, or the manager, if it
// has.
func (c *call) withCause(err error) error {
	if c.context().Err() == nil {
		return c.withEnd(err)
	}
	if c.Verb == "watch" {
		return withCauseOfWatch(c.context(), err)
	}
	return withCause(c.context(), err)
}

// withEnd makes the error of a call whose context has not ended say that the manager has closed the
// connection, if it has.
func (c *call) withEnd(err error) error {
	if c.pool == nil || c.pool.Fence() != nil || c.pool.Ended() == nil || errors.Is(err, conns.ErrEnded) {
		return err
	}
	return fmt.Errorf("%w (%w)", conns.ErrEnded, err)
}

// Read reads the answer's body.
func (c *call) Read(p []byte) (int, error) {
	n, err := c.reader.Read(p)
	c.received.Add(int64(n))
	if n > 0 && c.Unit != nil && c.Unit.Kind == report.Informer {
		c.Unit.Heard()
	}
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		c.end(false)
	default:
		if err = withCause(c.context(), err); c.context().Err() == nil {
			err = c.withEnd(err)
		}
		c.orphans.ended(c.context(), &c.Call.Call, c.at)
		c.end(c.context().Err() != nil)
	}
	return n, err
}

// Close closes the answer's body.
func (c *call) Close() error {
	err := c.body.Close()
	c.end(false)
	return err
}

// writableBody is the body of a connection that was upgraded, which is written to as well.
type writableBody struct {
	*call
	io.Writer
}
