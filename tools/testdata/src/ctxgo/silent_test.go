package ctxgo

import "context"

func inTest(ctx context.Context) { go call(ctx) }
