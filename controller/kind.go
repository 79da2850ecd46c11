// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"reflect"
	"strings"

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
		return *settings.kind, complete(*settings.kind)
	}
	if kind, known := m.kindOfInformer(informer); known {
		return kind, complete(kind)
	}
	kind, err := m.schemes.all().Of(reflect.TypeFor[O]())
	if err != nil {
		return kind, fmt.Errorf("the kind of its objects is not known: %w", err)
	}
	return kind, nil
}

// kindOfUntyped returns the kind of the objects of an informer whose Go type is known by its name
// only, and that Go type, which is nil if the kind was stated.
func (m *Manager) kindOfUntyped(
	informer cache.SharedIndexInformer, options *InformerOptions,
) (schema.GroupKind, reflect.Type, error) {
	if options.Kind != (schema.GroupKind{}) {
		return options.Kind, nil, complete(options.Kind)
	}
	if kind, known := m.kindOfInformer(informer); known {
		return kind, nil, complete(kind)
	}
	name := informer.HasSyncedChecker().Name()
	kind, goType, err := m.schemes.all().OfName(name[strings.LastIndex(name, " ")+1:])
	if err != nil {
		return kind, nil, fmt.Errorf("%s: the kind of its objects is not known: %w", name, err)
	}
	return kind, goType, nil
}

// kindOfInformer returns the kind that was stated with [Standalone], or when the informer was added
// before.
func (m *Manager) kindOfInformer(informer cache.SharedIndexInformer) (kind schema.GroupKind, known bool) {
	if kind := statedKind(informer); kind != (schema.GroupKind{}) {
		return kind, true
	}
	return m.informers.set.KindOf(informer)
}

// statedKind returns the kind that InformerOptions state for an informer; empty for none.
func statedKind(informer cache.SharedIndexInformer) (kind schema.GroupKind) {
	if own, ok := informer.(informerWithOptions); ok {
		kind = own.informerOptions().Kind
	}
	return kind
}

// complete returns an error if a stated kind has no name.
func complete(kind schema.GroupKind) error {
	if kind.Kind == "" {
		return fmt.Errorf("the stated kind has the group %q and no name: set Kind of the schema.GroupKind",
			kind.Group)
	}
	return nil
}

// isOwner reports whether an owner reference is to an object of a kind, in whichever version.
func isOwner(ref *metav1.OwnerReference, kind schema.GroupKind) bool {
	version, err := schema.ParseGroupVersion(ref.APIVersion)
	return err == nil && version.Group == kind.Group && ref.Kind == kind.Kind
}
