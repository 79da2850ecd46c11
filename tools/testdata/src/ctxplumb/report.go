package ctxplumb

import "context"

var handler = onAdd

func onAdd() {
	call(context.TODO()) // want `onAdd needs one from elsewhere: it is used as a value`
}

type doer interface{ do() }

type impl struct{}

func (impl) do() {
	call(context.TODO()) // want `do needs one from elsewhere: it is called through an interface`
}

func generic[T any](t T) {
	call(context.TODO()) // want `it is generic`
}

func Unnamed(_ int) {
	call(context.TODO()) // want `it has no room for a wrapper`
}

func taken() {
	ctx := 1
	_ = ctx
	call(context.TODO()) // want `the name ctx is taken`
}

var atStart = early()

func early() error {
	return call(context.TODO()) // want `it is called where nothing can be changed`
}
