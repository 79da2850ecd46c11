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

type owner struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func kept(ctx context.Context) *owner {
	own, cancel := context.WithCancel(context.Background())
	return &owner{ctx: own, cancel: cancel}
}

func (o *owner) start(ctx context.Context) {
	o.ctx, o.cancel = context.WithCancel(context.Background())
	call(o.ctx)
}

type detached struct{ context.Context }

func detach(ctx context.Context) context.Context {
	_ = ctx
	return detached{context.Background()}
}

func compared(ctx context.Context) bool { return ctx == context.Background() }

type span struct{}

func startSpan(ctx context.Context) (context.Context, *span) { return ctx, &span{} }

func newTrace(ctx context.Context) *span {
	_, s := startSpan(context.Background())
	call(ctx)
	return s
}

type ownerOfFunc struct{ stop func() }

func (o *ownerOfFunc) start(ctx context.Context) {
	var own context.Context
	own, o.stop = context.WithCancel(context.Background())
	call(own)
}

func (o *owner) startTODO() {
	var ctx context.Context
	ctx, o.cancel = context.WithCancel(context.TODO())
	call(ctx)
}
