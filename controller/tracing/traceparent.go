package tracing

import (
	"encoding/hex"

	"go.opentelemetry.io/otel/trace"
)

// traceparentSize is the length of a W3C traceparent of version 00, the only one there is.
const traceparentSize = 55

const headerTraceparent = "Traceparent"

// traceparent writes sc as the W3C has it.
func traceparent(sc trace.SpanContext) string {
	var to [traceparentSize]byte
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

// parseTraceparent reads a sampled traceparent, and nothing else: what is not sampled leads nowhere.
func parseTraceparent(value string) (trace.SpanContext, bool) {
	if len(value) != traceparentSize || value[:3] != "00-" || value[35] != '-' || value[52] != '-' {
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

// auditID names a request after its span, so that either leads to the other.
func auditID(sc trace.SpanContext) string {
	var to [49]byte
	traceID, spanID := sc.TraceID(), sc.SpanID()
	hex.Encode(to[:32], traceID[:])
	to[32] = '-'
	hex.Encode(to[33:], spanID[:])
	return string(to[:])
}
