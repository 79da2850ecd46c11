// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"reflect"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
)

// Standalone returns an informer that is of no factory, for [New], [Owns] and [Watches], and says
// what its cache keeps. The manager runs the informer while anything uses it. Use it for informers
// of dynamic and metadata clients, and for generated informers that were made without a factory:
//
//	gadgets := controller.Standalone[*unstructured.Unstructured](
//		dynamicinformer.NewFilteredDynamicInformer(client, gvr, "", 0, nil, nil).Informer(),
//		controller.InformerOptions{Kind: schema.GroupKind{Group: "example.com", Kind: "Gadget"}})
//
// An informer of a factory goes without it: see [AddFactory].
func Standalone[O Object](
	informer cache.SharedIndexInformer, options InformerOptions,
) cache.TypedSharedIndexInformer[O] {
	if informer == nil {
		return nil
	}
	typed, ok := informer.(cache.TypedSharedIndexInformer[O])
	if !ok {
		typed = cache.NewTypedSharedIndexInformer[O](informer)
	}
	return &standalone[O]{typed, &options}
}

type standalone[O Object] struct {
	cache.TypedSharedIndexInformer[O]
	options *InformerOptions
}

func (s *standalone[O]) informerOptions() *InformerOptions { return s.options }

// informerWithOptions is an informer that is of no factory.
type informerWithOptions interface{ informerOptions() *InformerOptions }

// userOf returns what a source says of its informer.
func userOf(
	informer cache.SharedIndexInformer, kind schema.GroupKind, goType reflect.Type,
) caches.User {
	user := caches.User{Kind: kind, Type: goType}
	if own, ok := informer.(informerWithOptions); ok {
		user.Alone = true
		user.Stated = own.informerOptions().settings()
	}
	return user
}
