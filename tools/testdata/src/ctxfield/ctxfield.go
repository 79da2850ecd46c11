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

// kit has no method that is given a context.
type kit struct {
	ctx   context.Context // want `kit stores a context, which start assigns: its methods run on the end`
	other context.Context
}

func (k *kit) work() { call(k.ctx) }

func start(ctx context.Context, k *kit) { k.ctx = ctx }

type plain struct {
	ctx context.Context // want `plain stores a context, which fill assigns: whoever is handed it runs on the end, deadline and trace of its maker`
}

func fill(p []plain, ctx context.Context) {
	go func() { p[0].ctx = ctx }()
}

type generic[T any] struct {
	ctx context.Context // want `generic stores a context, which set assigns`
	t   T
}

func (g *generic[T]) get() T { return g.t }

func set(ctx context.Context, g *generic[int]) { g.ctx = ctx }

// settings are given their context by an option that says so.
type settings struct{ ctx context.Context }

func WithContext(ctx context.Context) func(*settings) {
	return func(s *settings) { s.ctx = ctx }
}

type made struct{ ctx context.Context }

func newMade(ctx context.Context) *made { return &made{ctx: ctx} }

func (s *stoppable) restart(ctx context.Context) { s.ctx, s.cancel = context.WithCancel(ctx) }

type kept struct {
	//ctxvet:ok ctxfield: an item's, and gone with it
	ctx context.Context
}

func keep(ctx context.Context, k *kept) { k.ctx = ctx }

// broadcaster stores its cancel function as any other.
type broadcaster struct {
	ctx  context.Context
	stop func()
}

func newBroadcaster(ctx context.Context) *broadcaster {
	b := &broadcaster{}
	b.ctx, b.stop = context.WithCancel(ctx)
	return b
}
