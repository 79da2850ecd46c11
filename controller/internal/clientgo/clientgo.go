// SPDX-License-Identifier: Apache-2.0

// Package clientgo has the facts about the inside of client-go on which the framework relies. Each
// was read in the source of one version, and has a test that fails if client-go behaves otherwise.
package clientgo

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// Version is the client-go version in which the facts were read.
const Version = "v0.37.2"

// resetWait is how long client-go waits before it repeats a GET whose connection broke.
const resetWait = time.Second

// RetriesAfterResponse reports whether client-go (rest/with_retry.go) sends a request again after a
// response, and after which wait. It gives up after ten times, which cannot be seen here.
func RetriesAfterResponse(resp *http.Response) (wait time.Duration, retries bool) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode < 500 {
		return 0, false
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	return time.Duration(seconds) * time.Second, err == nil
}

// RetriesAfterError reports the same for the error of a request.
func RetriesAfterError(req *http.Request, err error) (wait time.Duration, retries bool) {
	return resetWait, req.Method == http.MethodGet && req.Context().Err() == nil &&
		(utilnet.IsConnectionReset(err) || utilnet.IsProbableEOF(err) || utilnet.IsHTTP2ConnectionLost(err))
}

// StreamsList reports whether a request is a watch that begins with a list, as reflectors try
// first.
func StreamsList(req *http.Request) bool {
	return req.URL.Query().Get("sendInitialEvents") == "true"
}

// WithoutSleep changes the answer to a request that StreamsList. After a refused connection, or an
// answer that says that the server is too busy, client-go's reflector (watchList in
// tools/cache/reflector.go) sleeps for up to a minute. It neither looks at its context meanwhile
// nor reports the error. After any other error it falls back to a plain list, whose errors it
// reports, and waits with its context.
func WithoutSleep(resp *http.Response, err error) (*http.Response, error) {
	switch {
	case utilnet.IsConnectionRefused(err):
		return nil, errors.New(err.Error()) // without what it wraps, by which client-go knows it
	case err == nil && resp.StatusCode == http.StatusTooManyRequests:
		_ = resp.Body.Close()
		return nil, errors.New("the API server is too busy to stream a list")
	}
	return resp, err
}
