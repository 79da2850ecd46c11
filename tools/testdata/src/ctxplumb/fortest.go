package ctxplumb

import (
	"context"
	"testing"
)

func madeForTest(tb testing.TB) {
	if err := call(context.TODO()); err != nil {
		tb.Error(err)
	}
}
