// Package without does not use Lanyard.
package without

import (
	"context"

	"example.com/informers"
	"k8s.io/client-go/tools/cache"
)

func run(ctx context.Context, f informers.SharedInformerFactory, i cache.Informer) {
	f.StartWithContext(ctx)
	go i.RunWithContext(ctx)
	cache.WaitFor(ctx, "caches")
}
