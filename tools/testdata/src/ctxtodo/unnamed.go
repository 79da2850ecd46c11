package ctxtodo

import "context"

func dropped(_ context.Context) {
	call(context.TODO()) // want `context.TODO\(\) although the function is given a context, as _: name the parameter ctx and write ctx`
}

func droppedBackground(_ context.Context, name string) error {
	return call(context.Background()) // want `context.Background\(\) although the function is given a context, as _.*write ctx, or context.WithoutCancel\(ctx\)`
}

func droppedTwice(_ context.Context) {
	call(context.Background()) // want `context.Background\(\) although the function is given a context, as _`
	call(context.TODO())       // want `context.TODO\(\) although the function is given a context, as _`
	call(context.TODO())       // want `context.TODO\(\) although the function is given a context, as _`
}

func withoutNames(int, context.Context, ...string) {
	call(context.TODO()) // want `although the function is given a context, as _`
}

var literal = func(_ context.Context, n int) error {
	return call(context.Background()) // want `although the function is given a context, as _`
}

// The literal's own context is nearer than that of the function around it.
func nearer(outer context.Context, run func(func(context.Context))) {
	run(func(_ context.Context) {
		call(context.TODO()) // want `although the function is given a context, as _: name the parameter ctx and write ctx`
	})
	run(func(context.Context) {
		ctx, cancel := context.WithCancel(outer)
		defer cancel()
		call(ctx)
		call(context.TODO()) // want `is not cancelled with ctx, which is in scope`
	})
}

func droppedAround(_ context.Context, later func(func())) {
	later(func() {
		call(context.TODO()) // want `in a function literal that may run later although the function is given a context, as _`
	})
	defer call(context.TODO()) // want `in a defer although the function is given a context, as _.*WithoutCancel\(ctx\) with a time limit`
	defer call(context.Background())
	go call(context.Background())
}

// The name is taken.
func taken(_ context.Context) {
	call(context.TODO()) // want `although the function is given a context, as _`
	for ctx := range 3 {
		_ = ctx
	}
}

func droppedAndAnswered(_ context.Context) {
	//ctxvet:ok ctxtodo: the record is written whatever becomes of the request
	call(context.Background())
	call(context.TODO()) // want `although the function is given a context, as _`
}

func droppedRoot(_ context.Context) context.Context { return context.Background() }

func shutdownDropped(_ context.Context) { call(context.Background()) }
