package ctxplumb

import "context"

func onlyTested() error {
	return call(context.TODO()) // want `give onlyTested a parameter ctx \(onlyTested\)`
}
