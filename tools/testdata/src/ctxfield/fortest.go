package ctxfield

import (
	"context"
	"testing"
)

type fixture struct {
	tb  testing.TB
	ctx context.Context
}

func (f *fixture) start(ctx context.Context) { f.tb.Helper() }
