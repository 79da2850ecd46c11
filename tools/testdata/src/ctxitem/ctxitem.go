package ctxitem

import (
	"context"

	"golang.org/x/sync/errgroup"
)

var root context.Context

func call(ctx context.Context) error { return nil }

func each(f func(ctx context.Context)) {}

func outer(ctx context.Context) {
	each(func(item context.Context) {
		call(ctx) // want `ctx is not the context of the work at hand, which is item`
		call(item)
	})
}

func global(ctx context.Context) {
	call(root) // want `root is not the context of the work at hand, which is ctx`
}

func group(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return call(ctx) // want `ctx is not the context of the work at hand, which is gctx`
	})
	g.Go(func() error { return call(gctx) })
	return g.Wait()
}

func silent(ctx, shutdownCtx context.Context) {
	sub, cancel := context.WithCancel(ctx)
	defer cancel()
	call(ctx)
	call(sub)
	each(func(item context.Context) {
		defer call(ctx)
		call(shutdownCtx)
		call(ctx) //ctxvet:ok ctxitem: the record outlives the item
	})
	func() {
		both, stop := context.WithCancel(ctx)
		defer stop()
		call(both)
		call(ctx)
	}()
}
