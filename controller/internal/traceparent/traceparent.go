// SPDX-License-Identifier: Apache-2.0

// Package traceparent reads and writes W3C trace contexts.
package traceparent

import (
	"encoding/hex"

	"go.opentelemetry.io/otel/trace"
)

// size is the length of a W3C traceparent of version 00, which is the only version.
const size = 55

// Header is the HTTP header for a traceparent.
const Header = "Traceparent"

// Format returns sc as a traceparent.
func Format(sc trace.SpanContext) string {
	var to [size]byte
	traceID, spanID := sc.TraceID(), sc.SpanID()
	copy(to[:], "00-")
	hex.Encode(to[3:35], traceID[:])
	to[35] = '-'
	hex.Encode(to[36:52], spanID[:])
	copy(to[52:], "-00")
	if sc.IsSampled() {
		to[54] = '1'
	}
	return string(to[:])
}

// Parse parses the traceparent of a sampled span. ok is false for anything else: a span that is not
// sampled leads nowhere.
func Parse(value string) (sc trace.SpanContext, ok bool) {
	if len(value) != size || value[:3] != "00-" || value[35] != '-' || value[52] != '-' {
		return trace.SpanContext{}, false
	}
	traceID, err1 := trace.TraceIDFromHex(value[3:35])
	spanID, err2 := trace.SpanIDFromHex(value[36:52])
	flags, err3 := hex.DecodeString(value[53:])
	if err1 != nil || err2 != nil || err3 != nil || !trace.TraceFlags(flags[0]).IsSampled() {
		return trace.SpanContext{}, false
	}
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceID, SpanID: spanID, TraceFlags: trace.FlagsSampled, Remote: true,
	}), true
}

// AuditID returns the Audit-ID of a request whose span is sc, so that either leads to the other.
func AuditID(sc trace.SpanContext) string {
	var to [49]byte
	traceID, spanID := sc.TraceID(), sc.SpanID()
	hex.Encode(to[:32], traceID[:])
	to[32] = '-'
	hex.Encode(to[33:], spanID[:])
	return string(to[:])
}
