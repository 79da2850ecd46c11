// Package advised is not advised by ctxsibling as well, which would have it start the informers.
package advised

import (
	"context"

	"example.com/informers"
	"example.com/lib"
	_ "github.com/lanyard-k8s/lanyard/controller"
	"k8s.io/client-go/tools/cache"
)

func run(ctx context.Context, f informers.SharedInformerFactory, i cache.Informer) {
	f.Start(ctx.Done())
	f.WaitForCacheSync(ctx.Done())
	go i.Run(ctx.Done())
	cache.WaitForCacheSync(ctx.Done(), i.HasSynced)
	lib.Refresh(1) // want `write RefreshWithContext`
}
