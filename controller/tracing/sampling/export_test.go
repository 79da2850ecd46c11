// SPDX-License-Identifier: Apache-2.0

package sampling

import (
	"context"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Waiting is how many traces are waited for.
func (f *KeepFilter) Waiting() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.traces)
}

// BeforeNext has look called before the next processor is flushed or shut down.
func (f *KeepFilter) BeforeNext(look func()) { f.next = looking{f.next, look} }

type looking struct {
	sdktrace.SpanProcessor
	look func()
}

func (l looking) ForceFlush(ctx context.Context) error {
	l.look()
	return l.SpanProcessor.ForceFlush(ctx)
}

func (l looking) Shutdown(ctx context.Context) error {
	l.look()
	return l.SpanProcessor.Shutdown(ctx)
}
