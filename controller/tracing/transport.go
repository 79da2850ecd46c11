package tracing

import (
	"maps"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/lanyard-k8s/lanyard/controller/apicall"
)

const headerAuditID = "Audit-Id"

type roundTripper struct {
	next   http.RoundTripper
	client *Client
}

// WrappedRoundTripper lets client-go find the transport below, for its TLS configuration.
func (t *roundTripper) WrappedRoundTripper() http.RoundTripper { return t.next }

// CloseIdleConnections passes on what http.Client asks for.
func (t *roundTripper) CloseIdleConnections() { utilnet.CloseIdleConnectionsFor(t.next) }

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
	a := &attempt{client: c, call: apicall.Of(req), key: keyOf(parent, req)}
	now := time.Now()
	before, again := c.attempts.take(a.key, now)
	if again {
		a.number = before.number + 1
		// What is left of the time in between, the rate limiter and others account for.
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
	a.ctx = ctx
	id := req.Header.Get(headerAuditID)
	if id == "" {
		id = auditID(a.span.SpanContext())
	}
	a.auditID = id
	a.span.SetAttributes(attribute.String(AttrAuditID, id))
	req = withHeaders(req.WithContext(ctx), a.span.SpanContext(), id)
	a.req = req
	return a, req
}

// attributes are those that are known at the start.
func (a *attempt) attributes(req *http.Request) []attribute.KeyValue {
	attributes := make([]attribute.KeyValue, 0, 10)
	full := *req.URL
	full.User, full.RawQuery, full.ForceQuery, full.Fragment = nil, "", false, ""
	attributes = append(attributes,
		attribute.String(AttrMethod, method(req)),
		attribute.String(AttrURLTemplate, a.path),
		attribute.String(AttrURLFull, full.String()),
		attribute.String(AttrServerHost, req.URL.Hostname()),
		attribute.Int(AttrServerPort, port(req)),
		attribute.String(AttrVerb, a.call.Verb))
	for _, known := range [...]struct{ key, value string }{
		{AttrResource, a.call.Resource}, {AttrNamespace, a.call.Namespace}, {AttrName, a.call.Name},
	} {
		if known.value != "" {
			attributes = append(attributes, attribute.String(known.key, known.value))
		}
	}
	if a.number > 0 {
		attributes = append(attributes, attribute.Int(AttrResendCount, a.number))
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

// withHeaders gives a copy of a request headers of its own: client-go uses the same for the next attempt.
func withHeaders(copied *http.Request, sc trace.SpanContext, audit string) *http.Request {
	copied.Header = maps.Clone(copied.Header)
	if copied.Header == nil {
		copied.Header = http.Header{}
	}
	copied.Header[headerTraceparent] = []string{traceparent(sc)}
	if audit != "" {
		copied.Header[headerAuditID] = []string{audit}
	}
	return copied
}
