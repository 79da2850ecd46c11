package transport

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// call is one attempt on its way, outstanding until its response has been read or closed.
type call struct {
	*work.Call
	unit   *work.Unit         // nil for a call that no unit makes
	ctx    context.Context    //ctxvet:ok ctxfield: the request's own, as http.Request keeps it
	cancel context.CancelFunc // of the call's time limit, nil without one
	pool   *pool
	lane   *lane // nil before it has one
	ended  atomic.Bool
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
		c.unit.End(c.Call, cut)
	}
	if c.cancel != nil {
		c.cancel()
	}
}

type body struct {
	io.ReadCloser
	call *call
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if unit := b.call.unit; n > 0 && unit != nil && unit.Kind == work.Informer {
		unit.Heard()
	}
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		b.call.end(false)
	default:
		err = withCause(b.call.ctx, err)
		b.call.end(b.call.ctx.Err() != nil)
	}
	return n, err
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.call.end(false)
	return err
}

type writableBody struct {
	*body
	io.Writer
}
