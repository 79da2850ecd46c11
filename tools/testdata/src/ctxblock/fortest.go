package ctxblock

import (
	"context"
	"testing"
)

func awaitForTest(tb testing.TB, ctx context.Context, ch chan int) {
	tb.Helper()
	<-ch
}
