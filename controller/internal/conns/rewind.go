// SPDX-License-Identifier: Apache-2.0

package conns

import (
	"errors"
	"net/http"
)

// CanRewind reports whether a request can be sent again.
func CanRewind(req *http.Request) bool { return !hasBody(req) || req.GetBody != nil }

// Rewind returns the request to send again, with a new body.
func Rewind(req *http.Request) (*http.Request, error) {
	again := req.Clone(req.Context())
	if !hasBody(req) {
		return again, nil
	}
	if !CanRewind(req) {
		return nil, errors.New("the body cannot be read again")
	}
	var err error
	again.Body, err = req.GetBody()
	return again, err
}

func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }
