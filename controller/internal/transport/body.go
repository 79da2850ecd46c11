package transport

import (
	"bufio"
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// call is one attempt on its way, outstanding until its response has been read or closed. It is the
// response's body too, because there is one for every call.
type call struct {
	work.Call
	unit   *work.Unit         // nil for a call that no unit makes
	ctx    context.Context    //ctxvet:ok ctxfield: the request's own, as http.Request keeps it
	cancel context.CancelFunc // of the call's time limit, nil without one
	pool   *pool
	lane   *lane // nil before it has one
	body   io.ReadCloser
	reader io.Reader // of body
	ended  atomic.Bool

	upgrade bool // client-go makes the connection: see upgrade.go
}

// watchBuffer is how much of a watch is read at a time. Its decoder reads event by event, and in between the
// length of each; HTTP/2 tells the server of what has been read after each four kilobytes, with a system call of
// its own. At the beginning of a watch with many objects that was a tenth of all that the program did.
const watchBuffer = 64 << 10

// setBody has the call end with the response's body.
func (c *call) setBody(body io.ReadCloser) {
	c.body, c.reader = body, body
	if c.Verb == "watch" {
		c.reader = bufio.NewReaderSize(body, watchBuffer)
	}
}

// neededTerm is the term without which the call must not be made, nil if there is none. Reads pass.
func (c *call) neededTerm() *term.Term {
	if c.unit == nil || c.ReadOnly() {
		return nil
	}
	return c.unit.Term
}

// end may be called twice. cut tells that the context ended the call.
func (c *call) end(cut bool) {
	if c.ended.Swap(true) {
		return
	}
	if c.lane != nil {
		c.pool.release(c.lane)
	}
	if c.unit != nil {
		c.unit.End(&c.Call, cut)
	}
	if c.cancel != nil {
		c.cancel()
	}
}

// Read reads the response's body.
func (c *call) Read(p []byte) (int, error) {
	n, err := c.reader.Read(p)
	if n > 0 && c.unit != nil && c.unit.Kind == work.Informer {
		c.unit.Heard()
	}
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		c.end(false)
	default:
		err = withCause(c.ctx, err)
		c.end(c.ctx.Err() != nil)
	}
	return n, err
}

// Close closes the response's body.
func (c *call) Close() error {
	err := c.body.Close()
	c.end(false)
	return err
}

type writableBody struct {
	*call
	io.Writer
}
