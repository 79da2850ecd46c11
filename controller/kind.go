// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
)

// kindOf returns the kind of the objects of a source: what was stated for the source or its informer,
// or what a scheme says of their Go type.
func kindOf[O Object](
	m *Manager, informer cache.SharedIndexInformer, settings *sourceSettings[O],
) (schema.GroupKind, error) {
	if settings.kind != nil {
		return *settings.kind, nil
	}
	if kind := statedKind(informer); !kind.Empty() {
		return kind, nil
	}
	kind, err := m.schemes.all().Of(reflect.TypeFor[O]())
	if err != nil {
		return kind, fmt.Errorf("the kind of its objects is not known: %w", err)
	}
	return kind, nil
}

// statedKind returns the kind that InformerOptions state for an informer; empty for none.
func statedKind(informer cache.SharedIndexInformer) (kind schema.GroupKind) {
	if own, ok := informer.(informerWithOptions); ok {
		kind = own.informerOptions().Kind
	}
	return kind
}

// isOwner reports whether an owner reference is to an object of a kind, in whichever version.
func isOwner(ref *metav1.OwnerReference, kind schema.GroupKind) bool {
	version, err := schema.ParseGroupVersion(ref.APIVersion)
	return err == nil && version.Group == kind.Group && ref.Kind == kind.Kind
}
