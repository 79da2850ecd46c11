package ctxitem

import (
	"context"
	"testing"
)

// A program that only asks whether it is tested is no test.
func asks(outer context.Context) bool {
	run(func(ctx context.Context) { call(outer) }) // want `outer is not the context of the work at hand`
	return testing.Testing()
}
