package ctxgoall

import (
	"context"
	"testing"
)

// A program that only asks whether it is tested is no test.
func asks(ctx context.Context) bool {
	go call(ctx) // want `nothing waits for this goroutine, which uses ctx`
	return testing.Testing()
}
