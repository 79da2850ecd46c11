// SPDX-License-Identifier: Apache-2.0

// Package clientspans makes the spans of API calls: one for each attempt at a call, and one for
// each wait that held it up.
package clientspans

import (
	"go.opentelemetry.io/otel/trace"

	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
)

// Client traces the API calls of one or several clients. All round trippers that carry attempts at
// the same calls must be of one Client, which recognises the second attempt at a call by the end of
// the first. The nil Client traces nothing, and costs nothing.
type Client struct {
	tracer   trace.Tracer
	attempts attempts
}

// NewClient makes a Client whose spans go to provider. It returns nil if provider is nil.
func NewClient(provider trace.TracerProvider) *Client {
	if provider == nil {
		return nil
	}
	return &Client{tracer: provider.Tracer(semconv.ScopeCalls)}
}
