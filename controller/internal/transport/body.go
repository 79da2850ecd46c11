package transport

import (
	"context"
	"errors"
	"io"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// body is a response's body: the call is outstanding until it has been read or closed.
type body struct {
	io.ReadCloser
	ctx  context.Context //nolint:containedctx // belongs to the request, as http.Request keeps its own
	unit *work.Unit
	call *work.Call
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		b.end(false)
	default:
		b.end(b.ctx.Err() != nil)
		err = withCause(b.ctx, err)
	}
	return n, err
}

func (b *body) Close() error {
	b.end(false)
	return b.ReadCloser.Close()
}

func (b *body) end(cut bool) {
	if b.unit != nil {
		b.unit.End(b.call, cut)
	}
}

type writableBody struct {
	*body
	io.Writer
}
