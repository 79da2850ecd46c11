package ctxfieldall

import "context"

func call(ctx context.Context) {}

// handed has no methods: what it is handed to runs on its context.
type handed struct {
	name string
	ctx  context.Context // want `handed stores a context: whoever is handed it runs on`
}

type builder struct {
	ctx context.Context // want `builder stores a context: its methods run on`
}

func (b *builder) build() { call(b.ctx) }

type stoppable struct {
	ctx    context.Context // want `stoppable stores a context: its methods run on`
	cancel context.CancelFunc
}

func (s *stoppable) work() { call(s.ctx) }

type request struct {
	ctx context.Context // want `request stores a context`
}

func (r *request) WithContext(ctx context.Context) *request { return &request{ctx} }

// monitor is what is kept of work that was started.
type monitor struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}
