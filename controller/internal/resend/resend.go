// Package resend knows after which answers a call is sent again, by client-go or by the framework.
package resend

import (
	"net/http"
	"strconv"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// What the fence in the API server (config/fence, docs/fence.md) says when it refuses a write: the server puts
// Denied before the messages of all admission policies, and the fence's begins with Fenced.
const (
	Denied = "denied request: "
	Fenced = "fenced by lease"
)

// resetWait is client-go's, after a connection broke.
const resetWait = time.Second

// AfterResponse tells whether client-go (rest/with_retry.go, 0.37.2) tries again after a response, and when. It
// gives up after ten times, which cannot be seen here.
func AfterResponse(resp *http.Response) (wait time.Duration, ok bool) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode < 500 {
		return 0, false
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	return time.Duration(seconds) * time.Second, err == nil
}

// AfterError tells the same of an error.
func AfterError(req *http.Request, err error) (wait time.Duration, ok bool) {
	return resetWait, req.Method == http.MethodGet && req.Context().Err() == nil &&
		(utilnet.IsConnectionReset(err) || utilnet.IsProbableEOF(err) || utilnet.IsHTTP2ConnectionLost(err))
}
