// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
)

// maxKept is the size up to which the memory for an answer is kept for the next one.
const maxKept = 256 << 10

// followedBody is the answer to a write, which is told of with the end of the answer. What the caller reads is kept
// until then. It is not read ahead of the caller: the answer's beginning wakes the caller, and who reads on at once
// has to wait for the rest. On one core that took a tenth of the CPU time of a write.
type followedBody struct {
	io.ReadCloser
	writes      *writes
	ctx         context.Context //ctxvet:ok ctxfield: a body is read without a context
	call        *call
	contentType string
	kept        *bytes.Buffer // nil once it is told
}

// follow returns the body of an answer to a write that was not refused.
func (w *writes) follow(ctx context.Context, c *call, resp *http.Response) *followedBody {
	kept, _ := w.buffers.Get().(*bytes.Buffer)
	if kept == nil {
		kept = &bytes.Buffer{}
	}
	return &followedBody{
		ReadCloser: resp.Body, writes: w, ctx: ctx, call: c, contentType: resp.Header.Get("Content-Type"), kept: kept,
	}
}

// Read reads from the answer, and tells of the write before it returns the end.
func (b *followedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.kept != nil {
		_, _ = b.kept.Write(p[:n]) // it never fails
		if err != nil {
			b.tell(errors.Is(err, io.EOF))
		}
	}
	return n, err
}

// Close reads what is left of the answer, and tells of the write.
func (b *followedBody) Close() error {
	if b.kept != nil {
		_, err := b.kept.ReadFrom(b.ReadCloser)
		b.tell(err == nil)
	}
	return b.ReadCloser.Close()
}

// tell tells of the write, and gives the memory back. whole reports whether the answer was read to its end.
func (b *followedBody) tell(whole bool) {
	kept := b.kept
	b.kept = nil
	if whole {
		b.writes.tell(b.ctx, b.call, b.writes.answered(b.call, b.contentType, kept.Bytes()))
	} else {
		b.writes.tell(b.ctx, b.call, b.writes.unknown(b.call))
	}
	if kept.Cap() <= maxKept {
		kept.Reset()
		b.writes.buffers.Put(kept)
	}
}
