package fatcontext

import "context"

func fat(ctx context.Context, names []string) {
	for _, name := range names {
		ctx = context.WithValue(ctx, &name, name) // want `nested context in loop`
	}
}

func answered(ctx context.Context, names []string) {
	for _, name := range names {
		//ctxvet:ok fatcontext: there are never more than three
		ctx = context.WithValue(ctx, &name, name)
	}
}
