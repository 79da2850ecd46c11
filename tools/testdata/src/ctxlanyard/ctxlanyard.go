package ctxlanyard

import (
	"context"

	"example.com/informers"
	"github.com/lanyard-k8s/lanyard/controller"
	"k8s.io/client-go/tools/cache"
)

func run(ctx context.Context, m *controller.Manager, f informers.SharedInformerFactory, d informers.DynamicSharedInformerFactory, i cache.Informer) {
	f.StartWithContext(ctx)                         // want `the manager runs the informers: one that f.StartWithContext starts is not the manager's: give it the factory with controller.AddFactory\(m, factory\)`
	f.Start(ctx.Done())                             // want `give it the factory with controller.AddFactory`
	d.Start(ctx.Done())                             // want `give it the factory with controller.AddFactory`
	f.WaitForCacheSync(ctx.Done())                  // want `it also waits for their caches before anything reconciles: remove f.WaitForCacheSync`
	f.WaitForCacheSyncWithContext(ctx)              // want `remove f.WaitForCacheSyncWithContext`
	go i.Run(ctx.Done())                            // want `give it the informer with controller.New, controller.Owns, controller.Watches or m.AddInformer`
	go i.RunWithContext(ctx)                        // want `give it the informer with`
	cache.WaitForCacheSync(ctx.Done(), i.HasSynced) // want `remove cache.WaitForCacheSync`
	cache.WaitFor(ctx, "caches")                    // want `remove cache.WaitFor`
	f.Shutdown()
	(&cache.Reflector{}).Run(ctx.Done())
	starter{}.Start(ctx)
	//ctxvet:ok ctxlanyard: it is read before the manager is there
	go i.RunWithContext(ctx)
}

type starter struct{}

func (starter) Start(ctx context.Context) {}
