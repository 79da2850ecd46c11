// SPDX-License-Identifier: Apache-2.0

// Package peek reads the beginning of an answer, which its caller can read again.
package peek

import (
	"bytes"
	"io"
	"net/http"
)

// Limit is the number of bytes that are read. A message for people is shorter.
const Limit = 64 << 10

// Body returns the beginning of an answer's body. Whoever reads the body later gets it whole, and the error
// with which the reading ended, if it did.
func Body(resp *http.Response) []byte {
	read, err := io.ReadAll(io.LimitReader(resp.Body, Limit))
	rest := io.Reader(resp.Body)
	if err != nil {
		rest = failing{err}
	}
	resp.Body = &replayed{Reader: io.MultiReader(bytes.NewReader(read), rest), Closer: resp.Body}
	return read
}

// replayed is a body of which a part was read, to be read again.
type replayed struct {
	io.Reader
	io.Closer
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
