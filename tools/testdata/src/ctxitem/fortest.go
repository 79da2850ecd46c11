package ctxitem

import (
	"context"
	"testing"
)

func groupForTest(tb testing.TB, outer context.Context) {
	tb.Helper()
	run(func(ctx context.Context) { call(outer) })
}

func run(f func(ctx context.Context)) { f(context.Background()) }
