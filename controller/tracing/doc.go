// SPDX-License-Identifier: Apache-2.0

// Package tracing follows work through controllers with OpenTelemetry. A manager traces its own
// clients and reconciles: see controller.Telemetry. This package is for the rest: clients that no
// manager made ([Instrument]), and traces that go from one object to the next ([Inject], [Link]).
// Package semconv has the names of spans and attributes, and package sampling decides which traces
// are kept.
//
// Nothing here is global. Without a provider nothing is traced, at the cost of a nil check. Spans
// are made only below a sampled span in the caller's context. So the watches of informers, renewals
// of a Lease, and calls outside any work have none, and no root span is started here.
package tracing
