// SPDX-License-Identifier: Apache-2.0

package clientspans

import (
	"maps"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/lanyard-k8s/lanyard/controller/internal/traceparent"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// Transport makes one client span of each request that next carries below a sampled span. Watches
// and Leases have none. The span ends when the response has been read to its end or closed. It
// returns next itself if c is nil.
//
// Each request gets a traceparent, also if the span above is not sampled, so that a server which
// follows it does not sample on its own. A request with a span gets an Audit-ID made of the span's
// ids, unless it has one.
func (c *Client) Transport(next http.RoundTripper) http.RoundTripper {
	if c == nil {
		return next
	}
	return &roundTripper{next: next, client: c}
}

type roundTripper struct {
	next   http.RoundTripper
	client *Client
}

// WrappedRoundTripper returns the transport below, whose TLS configuration client-go looks for.
func (t *roundTripper) WrappedRoundTripper() http.RoundTripper { return t.next }

// CloseIdleConnections closes the idle connections of the transport below.
func (t *roundTripper) CloseIdleConnections() { utilnet.CloseIdleConnectionsFor(t.next) }

// RoundTrip sends a request.
func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	parent := trace.SpanFromContext(req.Context())
	sc := parent.SpanContext()
	switch {
	case !sc.IsValid() || silent(req):
		return t.next.RoundTrip(req)
	case !sc.IsSampled() && !parent.IsRecording():
		return t.next.RoundTrip(withHeaders(req.WithContext(req.Context()), sc, ""))
	}
	a, req := t.client.begin(req, sc)
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		a.fail(err)
		return nil, err
	}
	a.answered(resp)
	return resp, nil
}

// begin starts the span of an attempt, and returns the request that carries it.
func (c *Client) begin(req *http.Request, parent trace.SpanContext) (*attempt, *http.Request) {
	ctx := req.Context()
	a := &attempt{client: c, call: apicall.Parse(req), key: keyOf(parent, req)}
	now := time.Now()
	before, again := c.attempts.take(a.key, now)
	if again {
		a.number = before.number + 1
		// The rest of the time between the attempts has spans of its own, such as the rate
		// limiter's.
		waited := min(now.Sub(before.at), before.wait)
		c.throttled(ctx, before.at, before.at.Add(waited), before.reason)
	}
	a.path = template(req, &a.call)
	name := method(req)
	if name == "_OTHER" {
		name = "HTTP"
	}
	ctx, a.span = c.tracer.Start(ctx, name+" "+a.path, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithTimestamp(now), trace.WithAttributes(a.attributes(req)...))
	id := req.Header.Get(headerAuditID)
	if id == "" {
		id = traceparent.AuditID(a.span.SpanContext())
	}
	a.auditID = id
	a.span.SetAttributes(attribute.String(semconv.AttrAuditID, id))
	req = withHeaders(req.WithContext(ctx), a.span.SpanContext(), id)
	a.req = req
	return a, req
}

// attributes returns the attributes that are known at the start.
func (a *attempt) attributes(req *http.Request) []attribute.KeyValue {
	attributes := make([]attribute.KeyValue, 0, 10)
	full := *req.URL
	full.User = nil
	full.RawQuery = ""
	full.ForceQuery = false
	full.Fragment = ""
	attributes = append(attributes,
		attribute.String(semconv.AttrMethod, method(req)),
		attribute.String(semconv.AttrURLTemplate, a.path),
		attribute.String(semconv.AttrURLFull, full.String()),
		attribute.String(semconv.AttrServerHost, req.URL.Hostname()),
		attribute.Int(semconv.AttrServerPort, port(req)),
		attribute.String(semconv.AttrVerb, a.call.Verb))
	for _, known := range [...]struct{ key, value string }{
		{semconv.AttrResource, a.call.Resource}, {semconv.AttrNamespace, a.call.Namespace}, {semconv.AttrName, a.call.Name},
	} {
		if known.value != "" {
			attributes = append(attributes, attribute.String(known.key, known.value))
		}
	}
	if a.number > 0 {
		attributes = append(attributes, attribute.Int(semconv.AttrResendCount, a.number))
	}
	return attributes
}

func port(req *http.Request) int {
	port, err := strconv.Atoi(req.URL.Port())
	switch {
	case err == nil:
		return port
	case req.URL.Scheme == "http":
		return 80
	default:
		return 443
	}
}

// withHeaders gives a copied request its own headers: client-go uses the original's for the next
// attempt.
func withHeaders(copied *http.Request, sc trace.SpanContext, audit string) *http.Request {
	copied.Header = maps.Clone(copied.Header)
	if copied.Header == nil {
		copied.Header = http.Header{}
	}
	copied.Header[traceparent.Header] = []string{traceparent.Format(sc)}
	if audit != "" {
		copied.Header[headerAuditID] = []string{audit}
	}
	return copied
}
