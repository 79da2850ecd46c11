package ctxtodo

import (
	"context"
	"sync"
	"time"
)

func deferred(ctx context.Context) {
	defer call(context.TODO()) // want `in a defer has no time limit.*write context.WithoutCancel\(ctx\) with a time limit`
	defer func() {
		call(context.TODO()) // want `in a defer`
	}()
}

func started(ctx context.Context) {
	go call(context.TODO()) // want `in a goroutine is not cancelled with ctx: write ctx if the goroutine is joined`
}

func closure(ctx context.Context, later func(func())) {
	later(func() {
		call(context.TODO()) // want `in a function literal that may run later is not cancelled with ctx`
	})
}

func ended(ctx context.Context, wg *sync.WaitGroup) {
	<-ctx.Done()
	call(context.TODO()) // want `after the context may have ended`
}

func joined(ctx context.Context, wg *sync.WaitGroup) {
	wg.Wait()
	call(context.TODO()) // want `after the context may have ended`
}

func cancelled(parent context.Context) {
	ctx, cancel := context.WithCancel(parent)
	call(ctx)
	cancel()
	call(context.TODO()) // want `after the context may have ended`
}

func inBranch(ctx context.Context) error {
	if ctx.Err() != nil {
		return call(context.TODO()) // want `after the context may have ended`
	}
	return nil
}

func cleanUp(ctx context.Context) {
	call(context.TODO()) // want `in clean-up, shutdown or lease code`
}

type lease struct{}

func (l *lease) renew(ctx context.Context) {
	call(context.TODO()) // want `in clean-up, shutdown or lease code`
}

func releaseAll(context.Context) {}

func release(ctx context.Context) {
	releaseAll(context.TODO()) // want `in clean-up, shutdown or lease code`
}

func assigned(ctx context.Context) {
	ctx = context.TODO() // want `is not cancelled with ctx`
	call(ctx)
}

func background(ctx context.Context) {
	call(context.Background()) // want `context.Background\(\) is not cancelled with ctx.*or context.WithoutCancel\(ctx\)`
}

func madeBetter(timeout time.Duration) {
	ctx := context.Background()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	call(ctx)
	call(context.Background()) // want `context.Background\(\) is not cancelled with ctx`
}

func keptTODO(ctx context.Context) *owner {
	own, cancel := context.WithCancel(context.TODO()) // want `under a cancel function that is kept has none of ctx's values: write context.WithoutCancel\(ctx\), or ctx`
	return &owner{ctx: own, cancel: cancel}
}

func onlyCalled(ctx context.Context) {
	own, cancel := context.WithCancel(context.Background()) // want `context.Background\(\) is not cancelled with ctx`
	defer cancel()
	call(own)
}

func usedSpan(ctx context.Context) *span {
	sub, s := startSpan(context.Background()) // want `context.Background\(\) is not cancelled with ctx`
	call(sub)
	return s
}
