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

type answered struct {
	//ctxvet:ok ctxfield: a request's, gone with it
	ctx context.Context
}

type pointerTo struct{ ctx *int }

func both(ctx, life context.Context) {}

func (s *server) knows(ctx context.Context) { both(ctx, s.ctx) }

// monitor is what is kept of work that was started.
type monitor struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

type stoppable struct {
	ctx    context.Context // want `stoppable stores a context`
	cancel context.CancelFunc
}

func (s *stoppable) work() { call(s.ctx) }
