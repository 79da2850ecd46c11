package tracing

import (
	"cmp"
	"net/http"

	"go.opentelemetry.io/otel/trace"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// Client traces the API calls of one or several clients. All round trippers that carry attempts at the same
// calls must be of one Client, which recognises the second attempt at a call by the end of the first. A nil
// Client traces nothing, and costs nothing.
type Client struct {
	tracer   trace.Tracer
	attempts attempts
}

// NewClient makes a Client whose spans go to provider. It is nil where provider is.
func NewClient(provider trace.TracerProvider) *Client {
	if provider == nil {
		return nil
	}
	return &Client{tracer: provider.Tracer(ScopeName)}
}

// Transport makes one client span of each request that next carries below a sampled span, with these
// exceptions: watches and leases make none. The span ends when the response has been read to its end or
// closed. next is returned as it is where c is nil.
//
// A request gets a traceparent, also when the span above is not sampled, so that a server which follows it
// does not sample on its own what its caller did not; and an Audit-ID, made of the span's ids, when it has a
// span and no Audit-ID of its own.
func (c *Client) Transport(next http.RoundTripper) http.RoundTripper {
	if c == nil {
		return next
	}
	return &roundTripper{next: next, client: c}
}

// RateLimiter makes a throttle span of each wait for next that is long enough. next is returned as it is
// where c or next is nil.
func (c *Client) RateLimiter(next flowcontrol.RateLimiter) flowcontrol.RateLimiter {
	if c == nil || next == nil {
		return next
	}
	return &rateLimiter{RateLimiter: next, client: c}
}

// NewTransport is the Transport of a Client of its own.
func NewTransport(next http.RoundTripper, provider trace.TracerProvider) http.RoundTripper {
	return NewClient(provider).Transport(next)
}

// Instrument returns a copy of config whose clients are traced: their attempts, and their waits for the
// client-side rate limiter. A limiter cannot be seen from outside, so where config has none yet, the one that
// client-go would make of QPS and Burst, or of its defaults, is made here. All clients made from the returned
// config share it, where without it each REST client might have one of its own: set a RateLimiter, or a
// negative QPS for none, where that matters.
func Instrument(config *rest.Config, provider trace.TracerProvider) *rest.Config {
	instrumented := rest.CopyConfig(config)
	client := NewClient(provider)
	if client == nil {
		return instrumented
	}
	instrumented.RateLimiter = client.RateLimiter(limiterOf(config))
	instrumented.Wrap(client.Transport)
	return instrumented
}

// limiterOf is the rate limiter that client-go would make for config; nil for none.
func limiterOf(config *rest.Config) flowcontrol.RateLimiter {
	qps := cmp.Or(config.QPS, rest.DefaultQPS)
	switch {
	case config.RateLimiter != nil:
		return config.RateLimiter
	case qps > 0:
		return flowcontrol.NewTokenBucketRateLimiter(qps, cmp.Or(config.Burst, rest.DefaultBurst))
	default:
		return nil
	}
}
