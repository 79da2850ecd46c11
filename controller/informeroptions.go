// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
)

// InformerOptions says what an informer's cache keeps. The zero value works.
type InformerOptions struct {
	// KeepManagedFields keeps metadata.managedFields in the cache. By default they are dropped:
	// they are often half of an object, and few reconcilers read them.
	KeepManagedFields bool

	// Kind is the group and kind of the objects. It is needed if the Go type does not tell it: for
	// unstructured objects, for metadata (*metav1.PartialObjectMetadata), and for a type that several
	// kinds share. By default it is what [Manager.AddScheme] or client-go's scheme says of the type.
	Kind schema.GroupKind

	// Transform changes each object before it is stored, for example to drop what is not needed. It
	// must not block, and must return an object of the same type and name; it may be called twice for
	// an object. If it panics or returns an error, the object is kept as it came: that is logged and
	// counted, and [Manager.Ready] fails while such an object is in the cache. The manager sets the
	// informer's own transform, so one from SetTransform is lost. Default: none.
	Transform cache.TransformFunc

	kept *caches.Settings // see settings
}

// settings returns what the options say of what a cache keeps; nil if they say nothing. For the same
// options it is always the same.
func (o *InformerOptions) settings() *caches.Settings {
	if !o.KeepManagedFields && o.Transform == nil {
		return nil
	}
	if o.kept == nil {
		o.kept = &caches.Settings{KeepManagedFields: o.KeepManagedFields, Transform: o.Transform}
	}
	return o.kept
}
