package ctxgoall

import (
	"context"
	"testing"
)

func startForTest(tb testing.TB, ctx context.Context) {
	tb.Helper()
	go call(ctx)
}
