package ctxgoall

import (
	"context"
	"sync"
)

func call(ctx context.Context)                     {}
func told(ctx context.Context, wg *sync.WaitGroup) { wg.Done() }

func lost(ctx context.Context) {
	go call(ctx) // want `nothing waits for this goroutine, which uses ctx`
	go func() {  // want `nothing waits for this goroutine, which uses ctx`
		call(ctx)
	}()
}

func never(ctx context.Context) {
	go call(context.Background()) // want `runs on a context that never ends, although ctx is in scope`
	go func() {                   // want `runs on a context that never ends`
		call(context.TODO())
	}()
}

func joined(ctx context.Context, wg *sync.WaitGroup, errs chan error) {
	wg.Add(2)
	go told(ctx, wg)
	go func() {
		defer wg.Done()
		call(ctx)
	}()
	done := make(chan struct{})
	go func() {
		defer close(done)
		call(ctx)
	}()
	go func() {
		call(ctx)
		errs <- nil
	}()
	<-done
}

func watcher(ctx context.Context) {
	go func() {
		<-ctx.Done()
		call(context.Background())
	}()
	go func() {
		select {
		case <-ctx.Done():
		}
	}()
}

func answered(ctx context.Context) {
	//ctxvet:ok ctxgo: joined by Close
	go call(ctx)
}

func noContext() { go call(context.Background()) }

func unrelated(ctx context.Context, f func()) { go f() }

func until(ctx context.Context, f func()) { f() }

func joinedByItsArgument(ctx context.Context, wg *sync.WaitGroup) {
	wg.Add(1)
	go until(ctx, func() {
		call(ctx)
		wg.Done()
	})
	go until(ctx, func() { call(ctx) }) // want `nothing waits for this goroutine, which uses ctx`
}

func neverEnds() {
	ctx := context.Background()
	go call(ctx)
	go call(context.Background())
}

type cache struct{}

func newCache(ctx context.Context) *cache {
	go call(ctx)
	return &cache{}
}

func newAndFailing(ctx context.Context) error {
	go call(ctx) // want `nothing waits for this goroutine, which uses ctx`
	return nil
}
