package ctxtodo

import (
	"context"
	"testing"
)

func forTest(tb testing.TB, ctx context.Context) {
	tb.Helper()
	call(context.Background())
}
