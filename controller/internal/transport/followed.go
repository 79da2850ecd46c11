// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// maxKept is the size up to which the memory for an answer is kept for the next one.
const maxKept = 256 << 10

// followedBody is the body of an answer that somebody looks at when the caller has read it, before the caller has its
// end. It is not read ahead of the caller: the answer's beginning wakes the caller, and who reads on at once has to wait
// for the rest. On one core that took a tenth of the CPU time of a write.
type followedBody struct {
	io.ReadCloser
	kept    *bytes.Buffer // what was read; nil once it was looked at
	buffers *sync.Pool    // gets kept back
	look    func(answer []byte, whole bool)
}

// follow returns a body that calls look once. whole reports whether the answer was read to its end. The bytes are
// valid during the call only.
func follow(body io.ReadCloser, buffers *sync.Pool, look func(answer []byte, whole bool)) *followedBody {
	kept, _ := buffers.Get().(*bytes.Buffer)
	if kept == nil {
		kept = &bytes.Buffer{}
	}
	return &followedBody{ReadCloser: body, kept: kept, buffers: buffers, look: look}
}

// Read reads the answer.
func (b *followedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.kept != nil {
		_, _ = b.kept.Write(p[:n]) // it never fails
		if err != nil {
			b.end(errors.Is(err, io.EOF))
		}
	}
	return n, err
}

// Close reads what is left of the answer.
func (b *followedBody) Close() error {
	if b.kept != nil {
		_, err := b.kept.ReadFrom(b.ReadCloser)
		b.end(err == nil)
	}
	return b.ReadCloser.Close()
}

func (b *followedBody) end(whole bool) {
	kept := b.kept
	b.kept = nil
	b.look(kept.Bytes(), whole)
	if kept.Cap() <= maxKept {
		kept.Reset()
		b.buffers.Put(kept)
	}
}
