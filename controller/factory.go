// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"reflect"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// InformerFactory is what [AddFactory] needs of a generated SharedInformerFactory. NewInformer is
// the type of the functions with which such a factory makes its informers.
type InformerFactory[NewInformer any] interface {
	StartWithContext(ctx context.Context)
	Shutdown()
	WaitForCacheSync(stop <-chan struct{}) map[reflect.Type]bool
	InformerFor(object runtime.Object, make NewInformer) cache.SharedIndexInformer
}

// AddFactory makes m run all informers that are asked of a generated factory, and returns the
// factory:
//
//	factory := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0))
//
// An informer may be asked for by [New], [Owns] and [Watches], or by its lister alone. Controllers
// start only when all these caches have synced, so that no lister is empty because its cache is not
// fed. Informers of one factory are shared: however many controllers use an informer, there is one
// cache.
//
// The program must not start the factory or its informers. Ask for listers before [Manager.Run]
// begins. What a running program asks of a factory later is started when it adds the factory again,
// or anything that has an informer.
//
// InformerOptions apply only to informers that New, Owns, Watches or [Manager.AddInformer] use.
// For the others use the options of the factory itself, such as its WithTransform.
func AddFactory[F InformerFactory[N], N any](m *Manager, f F) F {
	m.informers.addFactory(&factory{
		start: func(ctx context.Context) map[reflect.Type]cache.SharedIndexInformer {
			return startFactory[N](ctx, f)
		},
		shutDown: f.Shutdown, of: f,
	})
	return f
}

// SharedFactory returns the factory that an earlier call with the same type F has made for m, or
// else makes one and adds it with [AddFactory]. Use it where several parts of a program set up their
// controllers independently of each other, so that they share their caches:
//
//	factory := controller.SharedFactory(m, func() informers.SharedInformerFactory { ... })
func SharedFactory[F InformerFactory[N], N any](m *Manager, make func() F) F {
	m.informers.sharing.Lock()
	defer m.informers.sharing.Unlock()
	key := reflect.TypeFor[F]()
	if known, ok := m.informers.shared[key].(F); ok {
		return known
	}
	f := AddFactory[F, N](m, make())
	m.informers.shared[key] = f
	return f
}

// startFactory starts what was asked of a factory, and returns its informers. client-go tells of
// each informer that the manager has started already; that is expected and logged at a higher
// verbosity.
func startFactory[N any](
	ctx context.Context, f InformerFactory[N],
) map[reflect.Type]cache.SharedIndexInformer {
	if ctx.Err() != nil {
		return nil
	}
	f.StartWithContext(klog.NewContext(ctx, klog.FromContext(ctx).V(2)))
	informers := map[reflect.Type]cache.SharedIndexInformer{}
	var none N // the informers exist
	for typ := range f.WaitForCacheSync(alreadyClosed()) {
		object := reflect.New(typ.Elem()).Interface().(runtime.Object)
		informers[typ] = f.InformerFor(object, none)
	}
	return informers
}
