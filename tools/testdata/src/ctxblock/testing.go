package ctxblock

import (
	"context"
	"testing"
)

// A program that only asks whether it is tested is no test.
func asks(ctx context.Context, ch chan int) bool {
	<-ch // want `this receive goes on waiting after ctx has ended`
	return testing.Testing()
}
