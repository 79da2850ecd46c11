package ctxtodo

import "context"

func call(ctx context.Context) error { return nil }

func plain(ctx context.Context) {
	call(context.TODO()) // want `context.TODO\(\) is not cancelled with ctx, which is in scope.*write ctx`
}

func local(parent context.Context) {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	call(ctx)
	call(context.TODO()) // want `is not cancelled with ctx, which is in scope`
}

func loop(ctx context.Context, xs []int) {
	for range xs {
		if ctx.Err() != nil {
			return
		}
		call(context.TODO()) // want `is not cancelled with ctx, which is in scope`
	}
}

func ownParameter() func(context.Context) {
	return func(ctx context.Context) {
		call(context.TODO()) // want `is not cancelled with ctx, which is in scope`
	}
}

func derived(ctx context.Context) {
	sub, cancel := context.WithCancel(context.TODO()) // want `is not cancelled with ctx, which is in scope`
	defer cancel()
	call(sub)
}

func shadow(ctx context.Context) {
	if true {
		ctx := context.TODO() // want `is not cancelled with ctx, which is in scope`
		call(ctx)
	}
}
