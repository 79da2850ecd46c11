// Package tracing follows work through a controller with OpenTelemetry: a client span for each attempt at
// an API call, a span for each wait that held it up, and a trace that goes on from one object to the next.
//
// It needs nothing of the framework's but the causes, so it serves any [rest.Config]:
//
//	config = tracing.Instrument(config, provider)
//
// Nothing here is global: no provider means no tracing, at the cost of a nil check. Spans are only made below
// a sampled span in the caller's context. So watches of informers, lease renewals and other calls that are
// nobody's make none, and no root is ever started here.
//
// What a trace carries from object to object is in [Annotations], its sampling in the package sampling, and
// all names in attributes.go.
package tracing
