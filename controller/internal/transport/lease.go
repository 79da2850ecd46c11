// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"net/http"

	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// leaseRoundTripper makes the calls for a Lease. They need no term, never wait for other calls, and
// are not observed.
type leaseRoundTripper struct{ next http.RoundTripper }

// WrappedRoundTripper returns the transport below, whose TLS configuration client-go looks for.
func (t *leaseRoundTripper) WrappedRoundTripper() http.RoundTripper { return t.next }

// RoundTrip makes a call.
func (t *leaseRoundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	c := &call{}
	c.Call.Call = apicall.Parse(req)
	c.req = outgoing(req.Context(), req, &c.Call.Call, nil)
	resp, err := t.next.RoundTrip(c.req)
	return c.finish(resp, err)
}
