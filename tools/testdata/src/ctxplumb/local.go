package ctxplumb

import (
	"context"
	"time"
)

type patcher struct{}

func (p *patcher) sync(ctx context.Context) error {
	if err := call(ctx); err != nil {
		return err
	}
	p.derived()
	p.assigned()
	p.nested(true)
	p.deferred()
	p.literal()
	p.answered()
	return p.patch("a")
}

func (p *patcher) patch(name string) error {
	ctx := context.TODO() // want `hand it down sync\(ctx\) → patch$`

	if err := call(ctx); err != nil {
		return err
	}
	return p.below()
}

// The context of patch is none: the chain goes on to sync.
func (p *patcher) below() error {
	_ = p
	// before
	ctx := context.TODO() // want `hand it down sync\(ctx\) → patch → below$`
	// after
	return call(ctx)
}

func (p *patcher) derived() error {
	ctx, cancel := context.WithTimeout(context.TODO(), time.Second) // want `hand it down sync\(ctx\) → derived$`
	defer cancel()
	p.under()
	return call(ctx)
}

func (p *patcher) under() {
	call(context.TODO()) // want `hand it down sync\(ctx\) → derived → under$`
}

func (p *patcher) assigned() error {
	ctx := context.WithValue(context.TODO(), p, p) // want `hand it down sync\(ctx\) → assigned$`
	return call(ctx)
}

func (p *patcher) nested(deep bool) error {
	if deep {
		ctx := context.TODO() // want `hand it down sync\(ctx\) → nested$`
		return call(ctx)
	}
	return nil
}

func (p *patcher) deferred() {
	ctx := context.TODO() // want `there is one above, sync\(ctx\) → deferred, but its ctx is also used in a defer, where that of the caller may be over`
	defer call(ctx)
}

func (p *patcher) literal() {
	ctx := context.TODO() // want `but its ctx is also used in a function literal that may run later`
	later(func() { call(ctx) })
}

func (p *patcher) answered() {
	//ctxvet:ok ctxplumb: it outlives its callers
	ctx := context.TODO()
	call(ctx)
	call(context.TODO()) // the nearest context is the one above: for ctxtodo
}

// Apply is called from elsewhere too.
func (p *patcher) Apply(name string) error {
	ctx := context.TODO() // want `give Apply a parameter ctx \(Apply\)`
	return call(ctx)
}

func later(func()) {}
