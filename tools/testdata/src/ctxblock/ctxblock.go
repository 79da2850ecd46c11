package ctxblock

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

type clock interface{ Sleep(d time.Duration) }

func noResult(ctx context.Context) {
	time.Sleep(time.Second) // want `time.Sleep goes on after ctx has ended: select on ctx.Done\(\) and a timer`
}

func onlyError(ctx context.Context, d time.Duration) error {
	for range 3 {
		time.Sleep(2 * d) // want `time.Sleep goes on after ctx has ended`
	}
	return nil
}

func twoResults(ctx context.Context) (int, error) {
	time.Sleep(time.Second) // want `time.Sleep goes on`
	return 0, nil
}

func anything(ctx context.Context, c clock) {
	c.Sleep(time.Second) // want `c.Sleep goes on after ctx has ended`
}

func bare(ctx context.Context, results chan int) {
	<-results                 // want `this receive goes on waiting after ctx has ended`
	<-time.After(time.Second) // want `this receive goes on waiting`
	for {
		select { // want `this select goes on waiting after ctx has ended: add a case for ctx.Done\(\)`
		case <-results:
		case <-time.After(time.Second):
		}
	}
}

var stopCh chan struct{}

func old(ctx context.Context) {
	wait.Until(func() {}, time.Second, stopCh) // want `wait.Until does not end when ctx does: write wait.UntilWithContext`
	wait.Forever(func() {}, time.Second)       // want `wait.Forever does not end when ctx does`
}
