// SPDX-License-Identifier: Apache-2.0

package ownwrites_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// wire is between the clients and the API server.
type wire struct {
	lag atomic.Int64 // by which watches are late, in nanoseconds
	// cut reports whether the answer to a request, which the API server has given, gets lost. Nil for never.
	cut func(*http.Request) bool
}

func lagging(by time.Duration) *wire {
	w := &wire{}
	w.lag.Store(int64(by))
	return w
}

func (w *wire) around(next http.RoundTripper) http.RoundTripper { return &wired{w, next} }

type wired struct {
	*wire
	next http.RoundTripper
}

var errCut = errors.New("connection reset by the test")

func (w *wired) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if w.cut != nil && w.cut(req) {
		_ = resp.Body.Close()
		return nil, errCut
	}
	if req.URL.Query().Get("watch") != "" && resp.StatusCode == http.StatusOK {
		resp.Body = newLateBody(resp.Body, &w.lag)
	}
	return resp, nil
}

// lateBody gives what comes some time later.
type lateBody struct {
	io.ReadCloser
	lag    *atomic.Int64
	chunks chan chunk
	rest   bytes.Reader
	closed chan struct{}
	once   sync.Once
}

type chunk struct {
	data []byte
	err  error
	at   time.Time
}

func newLateBody(body io.ReadCloser, lag *atomic.Int64) *lateBody {
	b := &lateBody{ReadCloser: body, lag: lag, chunks: make(chan chunk, 10_000), closed: make(chan struct{})}
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

func (b *lateBody) Read(p []byte) (int, error) {
	if b.rest.Len() > 0 {
		return b.rest.Read(p)
	}
	next, ok := <-b.chunks
	if !ok {
		return 0, io.EOF
	}
	timer := time.NewTimer(time.Until(next.at.Add(time.Duration(b.lag.Load()))))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.closed:
		return 0, io.ErrClosedPipe
	}
	if len(next.data) == 0 {
		return 0, next.err
	}
	b.rest.Reset(next.data)
	return b.rest.Read(p)
}

func (b *lateBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.ReadCloser.Close()
}
