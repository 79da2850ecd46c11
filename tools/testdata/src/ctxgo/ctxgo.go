package ctxgo

import (
	"context"
	"sync"
)

func call(ctx context.Context) {}

// start is there to start something.
func start(ctx context.Context) {
	go call(ctx)
	go call(context.Background())
	go func() {
		call(ctx)
		<-ctx.Done()
	}()
}

func runs(ctx context.Context, workers int) {
	for range workers {
		go call(ctx) // want `nothing waits for this goroutine, which uses ctx`
	}
	go call(context.Background()) // want `runs on a context that never ends, although ctx is in scope`
	<-ctx.Done()
}

func runsAndSelects(ctx context.Context, in chan int) {
	go call(ctx) // want `nothing waits for this goroutine, which uses ctx`
	for {
		select {
		case <-in:
		case <-ctx.Done():
			return
		}
	}
}

func runsAndJoins(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		call(ctx)
	}()
	<-ctx.Done()
	wg.Wait()
}

type reconciler struct{}

func (r *reconciler) Reconcile(ctx context.Context) error {
	go call(ctx) // want `nothing waits for this goroutine, which uses ctx`
	return nil
}

func (r *reconciler) syncHandler(ctx context.Context) error {
	go call(ctx) // want `nothing waits for this goroutine, which uses ctx`
	return nil
}
