// SPDX-License-Identifier: Apache-2.0

// Package wirebody has the bodies of answers for round trippers in tests: one that tells when a call has ended,
// and that of an API server that refuses.
package wirebody

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ErrClosed is the end of a call whose answer was closed before it was read to its end.
var ErrClosed = errors.New("its answer was closed")

// Observe has end called when the answer has been read or closed, perhaps several times: with nil, the error of the
// read, or ErrClosed.
func Observe(resp *http.Response, end func(error)) {
	body := &observed{ReadCloser: resp.Body, end: end}
	resp.Body = body
	if writable, ok := body.ReadCloser.(io.Writer); ok { // an upgraded connection
		resp.Body = struct {
			*observed
			io.Writer
		}{body, writable}
	}
}

type observed struct {
	io.ReadCloser
	end func(error)
}

func (b *observed) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.end(nil)
	case err != nil:
		b.end(err)
	}
	return n, err
}

func (b *observed) Close() error {
	b.end(ErrClosed)
	return b.ReadCloser.Close()
}

// Status is the body with which an API server refuses, in JSON.
func Status(code int, reason metav1.StatusReason, message string) ([]byte, error) {
	return json.Marshal(metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Code: int32(code), Reason: reason, Message: message,
	})
}
