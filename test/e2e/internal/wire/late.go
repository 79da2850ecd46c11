// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// lateBody gives what comes some time later.
type lateBody struct {
	io.ReadCloser
	wire   *Wire
	chunks chan chunk
	rest   bytes.Reader
	broken <-chan struct{}
	closed chan struct{}
	once   sync.Once
}

type chunk struct {
	data []byte
	err  error
	at   time.Time
}

// late returns a body that gives later what another one gives.
func (w *Wire) late(body io.ReadCloser) io.ReadCloser {
	b := &lateBody{
		ReadCloser: body, wire: w, chunks: make(chan chunk, 10_000), broken: w.broken.shuts(), closed: make(chan struct{}),
	}
	go func() {
		defer close(b.chunks)
		for {
			data := make([]byte, 32<<10)
			n, err := body.Read(data)
			select {
			case b.chunks <- chunk{data[:n], err, time.Now()}:
			case <-b.closed:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return b
}

// Read reads what is due.
func (b *lateBody) Read(p []byte) (int, error) {
	if b.rest.Len() > 0 {
		return b.rest.Read(p)
	}
	var next chunk
	select {
	case next = <-b.chunks:
	case <-b.broken:
		return 0, io.EOF
	}
	if next.at.IsZero() {
		return 0, io.EOF
	}
	if err := b.await(next.at); err != nil {
		return 0, err
	}
	if len(next.data) == 0 {
		return 0, next.err
	}
	b.rest.Reset(next.data)
	return b.rest.Read(p)
}

// await returns when what came at a time is due.
func (b *lateBody) await(came time.Time) error {
	timer := time.NewTimer(time.Until(b.wire.due(came)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.broken:
		return io.EOF
	case <-b.closed:
		return io.ErrClosedPipe
	}
	for opened := b.wire.gate.opened(); opened != nil; opened = b.wire.gate.opened() {
		select {
		case <-opened:
		case <-b.broken:
			return io.EOF
		case <-b.closed:
			return io.ErrClosedPipe
		}
	}
	return nil
}

// Close ends the body, and a Read that waits.
func (b *lateBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.ReadCloser.Close()
}
