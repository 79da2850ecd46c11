package sa1012

import "context"

func call(ctx context.Context) {}

func isNil() {
	call(nil) // want `do not pass a nil Context`
	call(nil) //ctxvet:ok SA1012: the library's own test of nil
}
