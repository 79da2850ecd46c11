// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"net/http"

	"github.com/lanyard-k8s/lanyard/controller/internal/conns"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// leaseRoundTripper makes the calls for a Lease. They need no term, never wait for other calls, and
// are not observed.
type leaseRoundTripper struct {
	pool *conns.Pool       // has the connection; nil if the user has set a transport
	next http.RoundTripper // the user's transport; nil if there is a pool
}

// RoundTrip makes a call.
func (t *leaseRoundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	c := &call{}
	c.Call.Call = apicall.Parse(req)
	c.req = outgoing(req.Context(), req, &c.Call.Call, nil)
	next := t.next
	if t.pool != nil {
		acquired, err := t.pool.TryAcquire()
		if err != nil {
			return c.finish(nil, err)
		}
		c.pool = t.pool
		c.transport = acquired
		next = acquired
	}
	resp, err := next.RoundTrip(c.req)
	return c.finish(resp, err)
}
