// SPDX-License-Identifier: Apache-2.0

package shutdowntest

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/lanyard-k8s/lanyard/test/internal/target"
	"github.com/lanyard-k8s/lanyard/test/internal/wirebody"
)

// auditHeader is what the API server takes the id in its audit log from.
const auditHeader = "Audit-ID"

// Call is an API request as its client sees it: from when it is handed to the transport until its answer
// has been read or closed.
type Call struct {
	Target
	AuditID string // of the [Request] that the proxy gets
	Began   time.Time
	Ended   time.Time // zero while it is outstanding
	Err     error     // what it ended with, before a manager adds the cause to it
	Cause   error     // why its context had ended when it did; nil when it had not

	ctx     context.Context //ctxvet:ok ctxfield: whose call it is, is the question
	onEnded bool            // it was begun on a context that had ended
}

// Calls returns the requests that clients made from [Proxy.Config] have begun so far, in that order,
// whether or not they have reached the proxy.
func (p *Proxy) Calls() []Call { return p.calls.all() }

type callRecord struct {
	mu     sync.Mutex
	calls  []*Call
	bottom []http.RoundTripper
}

func (r *callRecord) all() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := make([]Call, len(r.calls))
	for i, c := range r.calls {
		calls[i] = *c
	}
	return calls
}

func (r *callRecord) observe(next http.RoundTripper) http.RoundTripper {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bottom = append(r.bottom, next)
	return &observer{next: next, record: r}
}

// closeIdle closes the clients' connections on which there is no request.
func (r *callRecord) closeIdle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, next := range r.bottom {
		utilnet.CloseIdleConnectionsFor(next)
	}
}

func (r *callRecord) begin(call *Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	call.Began, call.onEnded = time.Now(), call.ctx.Err() != nil
	r.calls = append(r.calls, call)
}

// endRoot ends a root context and returns when it did. No call begins or ends meanwhile: a call that the
// end has led to has begun after that time, however long it takes until all contexts below have ended.
func (r *callRecord) endRoot(cancel func()) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	cancel()
	return now
}

// end notes the first end of a call.
func (r *callRecord) end(call *Call, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if call.Ended.IsZero() {
		call.Ended, call.Err, call.Cause = time.Now(), err, context.Cause(call.ctx)
	}
}

// observer is the lowest layer of a client, above the connection.
type observer struct {
	next   http.RoundTripper
	record *callRecord
}

// WrappedRoundTripper lets others find the transport below.
func (o *observer) WrappedRoundTripper() http.RoundTripper { return o.next }

func (o *observer) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	call := &Call{Target: target.Of(req), AuditID: req.Header.Get(auditHeader), ctx: ctx}
	if call.AuditID == "" {
		call.AuditID = string(uuid.NewUUID())
		req = req.Clone(ctx)
		req.Header.Set(auditHeader, call.AuditID)
	}
	o.record.begin(call)
	resp, err := o.next.RoundTrip(req)
	if err != nil {
		o.record.end(call, err)
		return nil, err
	}
	wirebody.Observe(resp, func(err error) { o.record.end(call, err) })
	return resp, nil
}

// String is the call in a few words.
func (c Call) String() string {
	return fmt.Sprintf("%v (begun %s)", c.Target, c.Began.Format("15:04:05.000000"))
}
