package ctxsibling

import (
	"context"
	"time"

	"example.com/lib"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/tools/cache"
)

func byName(ctx context.Context, c *lib.Client) error {
	lib.Refresh(1)                        // want `lib.Refresh is not told of the caller's context: it goes on when ctx ends: write RefreshWithContext`
	if _, err := c.Get("x"); err != nil { // want `c.Get is not told.*write GetContext`
		return err
	}
	return c.Ping() // want `c.Ping is not told.*write PingWithContext`
}

func stop(ctx context.Context, i cache.Informer) {
	i.Run(ctx.Done())   // want `i.Run is not told.*it stops with ctx but has none of its values: write RunWithContext`
	i.Start(ctx.Done()) // want `write StartWithContext`
}

func result(ctx context.Context, i cache.Informer, stopCh chan struct{}) {
	_ = i.Start(ctx.Done()) // want `write StartWithContext`
	i.Run(stopCh)           // want `write RunWithContext`
}

func callback(ctx context.Context) {
	wait.Until(func() { lib.Refresh(2) }, time.Second, ctx.Done()) // want `write UntilWithContext` `write RefreshWithContext`
}

func backoff(ctx context.Context) error {
	return wait.ExponentialBackoff(wait.Backoff{}, func() (bool, error) { return true, nil }) // want `write ExponentialBackoffWithContext`
}

func table(ctx context.Context, i cache.Informer) bool {
	_ = wait.Poll(1, 2, func() (bool, error) { return true, nil }) // want `write PollUntilContextTimeout \(with immediate false`
	return cache.WaitForCacheSync(ctx.Done(), i.HasSynced)         // want `write WaitFor \(with the informers'`
}

func bridge(ctx context.Context, d discovery.DiscoveryInterface) (int, error) {
	return d.ServerGroups() // want `write discovery.ToDiscoveryInterfaceWithContext\(…\).ServerGroupsWithContext`
}

func list(context.Context, metav1.ListOptions) (any, error) { return nil, nil }

func fields(f cache.ListFunc) []cache.ListWatch {
	return []cache.ListWatch{{
		ListFunc: func(o metav1.ListOptions) (any, error) { // want `the function in ListFunc of cache.ListWatch is not given its caller's context.*write ListWithContextFunc`
			return list(context.Background(), o)
		},
		WatchFunc: func(o metav1.ListOptions) (any, error) { // want `write WatchFuncWithContext`
			return nil, nil
		},
	}, {
		ListFunc: f, // want `write ListWithContextFunc`
	}, {
		ListFunc:            f,
		ListWithContextFunc: list,
	}}
}

func channel(ctx context.Context, i cache.Informer) {
	stopCh := ctx.Done()
	i.Run(stopCh)                                       // want `i.Run is not told.*it stops with ctx but has none of its values: write RunWithContext`
	_ = cache.WaitForCacheSync(stopCh, i.HasSynced)     // want `it stops with ctx but has none of its values: write WaitFor \(`
	wait.Until(func() {}, time.Second, stopCh)          // want `it stops with ctx but has none of its values: write UntilWithContext \(with ctx in place of stopCh\)`
	wait.Until(func() {}, time.Second, kept.ctx.Done()) // want `it stops with another context and has none of ctx's values`
}

func givenChannel(ctx context.Context, stopCh <-chan struct{}, i cache.Informer) {
	i.Run(stopCh)                                   // want `it stops with stopCh and has none of ctx's values: write RunWithContext`
	_ = cache.WaitForCacheSync(stopCh, i.HasSynced) // want `it stops with stopCh and has none of ctx's values`
	i.Run(nil)                                      // want `it goes on when ctx ends: write RunWithContext`
}

var kept struct{ ctx context.Context }
