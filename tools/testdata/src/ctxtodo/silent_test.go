package ctxtodo

import "context"

func inTest(ctx context.Context) { call(context.Background()) }
