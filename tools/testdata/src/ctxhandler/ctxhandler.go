package ctxhandler

import (
	"context"
	"time"

	"k8s.io/client-go/tools/cache"
)

func update(ctx context.Context, obj any) error { return nil }

func logger(ctx context.Context) int { return 0 }

type controller struct{}

func (c *controller) handlers(ctx context.Context) []any {
	return []any{cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) {
			_ = update(context.Background(), obj) // want `nothing limits this call in an event handler \(AddFunc\): while it hangs, no further event is delivered: enqueue the object`
			c.enqueue(obj)
		},
		UpdateFunc: c.updated,
		DeleteFunc: deleted,
	}, cache.FilteringResourceEventHandler{
		FilterFunc: func(obj any) bool {
			return update(context.TODO(), obj) == nil // want `nothing limits this call in an event handler \(FilterFunc\)`
		},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc: func(obj any) {
				_ = update(ctx, obj)
				_ = logger(context.Background())
				limited, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				_ = update(limited, obj)
				go update(context.Background(), obj)
				//ctxvet:ok ctxhandler: it is local
				_ = update(context.Background(), obj)
			},
		},
	}}
}

func (c *controller) enqueue(obj any) {}

func (c *controller) updated(_, obj any) { c.store(obj) }

func (c *controller) store(obj any) {
	retry(func() error {
		return update(context.TODO(), obj) // want `\(UpdateFunc → updated → store\)`
	})
}

func retry(f func() error) { _ = f() }

func deleted(obj any) {
	ctx := context.Background()
	_ = update(ctx, obj) // want `\(DeleteFunc → deleted\)`
}

type handler struct{}

func (handler) OnAdd(obj any, isInInitialList bool) {
	_ = update(context.TODO(), obj) // want `\(OnAdd\)`
}

func (handler) OnUpdate(oldObj, newObj any) {}

func (handler) OnDelete(obj any) {
	_ = update(context.TODO(), obj) // want `\(OnDelete\)`
}

// Not an informer's.
type listener struct{}

func (listener) OnAdd(name string) { _ = update(context.TODO(), name) }

func (c *controller) reconcile(obj any) error { return update(context.TODO(), obj) }
