package ctxfield

import "context"

type server struct {
	ctx context.Context // want `server stores a context.*pass the context as each method's first parameter`
}

func call(ctx context.Context) {}

func (s *server) worse(ctx context.Context) {
	call(s.ctx) // want `runs on the stored s.ctx although the method is given ctx`
}

func (s *server) only() { call(s.ctx) }

func (s *server) ends(ctx context.Context) {
	<-s.ctx.Done()
}

// itself is a context, so that it may well hold another.
type itself struct {
	context.Context
	extra int
}

func (i itself) given(ctx context.Context) {}

type answered struct {
	//ctxvet:ok ctxfield: a request's, gone with it
	ctx context.Context
}

func (a *answered) given(ctx context.Context) {}

type pointerTo struct{ ctx *int }

func both(ctx, life context.Context) {}

func (s *server) knows(ctx context.Context) { both(ctx, s.ctx) }

// monitor is what is kept of work that was started.
type monitor struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// stoppable ends its context itself.
type stoppable struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func (s *stoppable) work() { call(s.ctx) }

func (s *stoppable) workFor(ctx context.Context) {
	call(s.ctx) // want `runs on the stored s.ctx although the method is given ctx`
}

// handed has no methods.
type handed struct {
	name string
	ctx  context.Context
}

type request struct{ ctx context.Context }

func (r *request) WithContext(ctx context.Context) *request { return &request{ctx} }

func (r *request) do(ctx context.Context) {}

type counter struct{}

func (c *counter) WithContext(ctx context.Context) *counterWithContext {
	return &counterWithContext{ctx}
}

type counterWithContext struct{ ctx context.Context }

func (c *counterWithContext) inc(ctx context.Context) {}

type listCall struct{ ctx context.Context }

func (c *listCall) Context(ctx context.Context) *listCall {
	c.ctx = ctx
	return c
}

// builder's method takes no context, and so do all of an embedded type's.
type builder struct {
	ctx context.Context
}

func (b *builder) WithContext() *builder { return b }
