package ctxtodo

import "context"

func nothingInScope() { call(context.TODO()) }

func defaulted(ctx context.Context) {
	if ctx == nil {
		ctx = context.TODO()
	}
	call(ctx)
}

func meant(ctx context.Context) {
	defer call(context.Background())
	go call(context.Background())
	<-ctx.Done()
	call(context.Background())
}

func shutdown(ctx context.Context) { call(context.Background()) }

func declaredLater() {
	call(context.TODO())
	ctx := context.Background()
	call(ctx)
}

func detachedByName(shutdownCtx context.Context) { call(context.TODO()) }

func answered(ctx context.Context) {
	//ctxvet:ok ctxtodo: the audit record must be written whatever becomes of the request
	call(context.TODO())
	call(context.Background()) //ctxvet:ok ctxtodo: as above
}

func unused(ctx context.Context) {
	//ctxvet:ok ctxtodo: nothing here // want `this answer to ctxtodo answers nothing`

	call(ctx)
}

func noBetter() {
	ctx := context.TODO()
	call(ctx)
	call(context.TODO())
	func() { call(context.TODO()) }()
	var other = context.Background()
	call(other)
	call(context.TODO())
}
