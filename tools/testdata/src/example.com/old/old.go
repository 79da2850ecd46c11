// Package old has what is deprecated.
package old

import "context"

// Ping is for callers without a context.
//
// Deprecated: use PingWithContext.
func Ping() {}

// PingWithContext is what to call.
func PingWithContext(ctx context.Context) {}

// Pong is deprecated for another reason.
//
// Deprecated: nobody answers.
func Pong() {}
