// SPDX-License-Identifier: Apache-2.0

package tracing

import (
	"cmp"
	"net/http"

	"go.opentelemetry.io/otel/trace"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/lanyard-k8s/lanyard/controller/internal/clientspans"
	"github.com/lanyard-k8s/lanyard/controller/internal/spanstatus"
)

// Instrument returns a copy of config whose clients make a span for each attempt at a call and for
// each wait for the client-side rate limiter. If provider is nil, the copy is not traced. Do not
// use it for clients of a manager, which traces them itself.
//
// If config has no RateLimiter, Instrument sets one with the QPS and Burst of config, because waits
// for client-go's own limiter cannot be observed. All clients made from the copy share that
// limiter. To have no limiter, set a negative QPS; to have one for each client, set RateLimiter in
// a copy for each.
func Instrument(config *rest.Config, provider trace.TracerProvider) *rest.Config {
	instrumented := rest.CopyConfig(config)
	client := clientspans.NewClient(provider)
	if client == nil {
		return instrumented
	}
	instrumented.RateLimiter = client.RateLimiter(limiterOf(config))
	instrumented.Wrap(client.Transport)
	return instrumented
}

// NewTransport returns a transport that makes a client span for each request and passes the request
// to next. It makes no span for a request whose context has no sampled span. If provider is nil, it
// returns next.
func NewTransport(next http.RoundTripper, provider trace.TracerProvider) http.RoundTripper {
	return clientspans.NewClient(provider).Transport(next)
}

// limiterOf returns the rate limiter that client-go would make for config; nil for none.
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

// ErrorType returns the value for err of the span attribute error.type. For an error of the API
// server it is the reason, such as NotFound. For other errors it is the Go type; wrappers such as
// those of [fmt.Errorf] are skipped.
func ErrorType(err error) string { return spanstatus.ErrorType(err) }
