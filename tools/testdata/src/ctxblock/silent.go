package ctxblock

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

func short(ctx context.Context) { time.Sleep(10 * time.Millisecond) }

func noContext() { time.Sleep(time.Hour) }

func joins(ctx context.Context) int {
	results := make(chan int)
	go func() { results <- 1 }()
	return <-results
}

func tells(ctx context.Context, results, stop chan int) {
	select {
	case <-ctx.Done():
	case <-results:
	}
	select {
	case <-stop:
	case <-results:
	}
	select {
	case <-results:
	default:
	}
	<-stop
}

func afterwards(ctx context.Context) {
	<-ctx.Done()
	time.Sleep(time.Second)
}

func shutdown(ctx context.Context) { time.Sleep(time.Second) }

func goroutine(ctx context.Context) { go time.Sleep(time.Second) }

func done(ctx context.Context) { wait.Until(func() {}, time.Second, ctx.Done()) }

func answered(ctx context.Context) {
	//ctxvet:ok ctxblock: the device needs its second
	time.Sleep(time.Second)
}

func drained(ctx context.Context, timer *time.Timer) {
	if !timer.Stop() {
		<-timer.C
	}
}

func neverEnds() {
	ctx := context.Background()
	_ = ctx
	time.Sleep(time.Second)
}

func method(ctx context.Context, delay wait.DelayFunc) error {
	return delay.Until(ctx, true, true, func(context.Context) (bool, error) { return true, nil })
}

func stream(ctx context.Context) (chan int, error) { return nil, nil }

func streamed(ctx context.Context) {
	ch, err := stream(ctx)
	if err != nil {
		return
	}
	<-ch
}

func givenBoth(ctx context.Context, ch <-chan struct{}) {
	wait.Until(func() { <-ctx.Done() }, time.Second, ch)
}
