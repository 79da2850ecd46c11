package ctxplumb

import "context"

func GetWithContext(ctx context.Context) error { return call(ctx) }

// Get is for callers that have no context.
//
//go:fix inline
func Get() error { return GetWithContext(context.TODO()) }

func meant() { call(context.Background()) }

func cleanup() { call(context.TODO()) }

func inLiteral() func() {
	return func() { call(context.TODO()) }
}

func hasOne(ctx context.Context) { call(context.TODO()) }

func answered() {
	//ctxvet:ok ctxplumb: the library's own loop, which has no context
	call(context.TODO())
}

type owner struct{ cancel context.CancelFunc }

func newOwner() *owner {
	ctx, cancel := context.WithCancel(context.TODO())
	_ = call(ctx)
	return &owner{cancel}
}

func newOwnerAfterACall() *owner {
	_ = call(context.TODO()) // want `newOwnerAfterACall needs one from elsewhere: the name ctx is taken`
	ctx, cancel := context.WithCancel(context.TODO())
	_ = call(ctx)
	return &owner{cancel}
}
