// SPDX-License-Identifier: Apache-2.0

// Package kinds tells of which group and kind objects are: what the user has stated, or what a
// scheme says of their Go type. A Go type's name is no kind.
package kinds

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Schemes know kinds by their Go types. An earlier one comes first.
type Schemes []*runtime.Scheme

// Of returns the kind of the objects of a Go type.
func (s Schemes) Of(typ reflect.Type) (schema.GroupKind, error) {
	if typ.Kind() != reflect.Pointer {
		return schema.GroupKind{}, fmt.Errorf("%s is no pointer to an API type: %s", typ, stateIt)
	}
	object, ok := reflect.New(typ.Elem()).Interface().(runtime.Object)
	if !ok {
		return schema.GroupKind{}, fmt.Errorf("%s is no API type", typ)
	}
	if ofAnyKind(typ.String()) {
		return schema.GroupKind{}, fmt.Errorf("objects of any kind are %s: %s", typ, stateIt)
	}
	for _, scheme := range s {
		if scheme == nil {
			continue
		}
		found, _, err := scheme.ObjectKinds(object)
		if err != nil {
			continue // the scheme does not know the type
		}
		return single(typ.String(), groupKinds(found))
	}
	return schema.GroupKind{}, fmt.Errorf("no scheme has %s: add one that has it with Manager.AddScheme, "+
		"such as Scheme of the generated package scheme of its clientset; or %s", typ, stateIt)
}

// OfName returns the kind of the objects of a Go type that is known by its name, such as
// *v1.ConfigMap, and the Go type. The name has no path of a package, so it can be that of another
// type, which no scheme knows: see [Check]. The Go type is nil if several have the name.
func (s Schemes) OfName(name string) (schema.GroupKind, reflect.Type, error) {
	if ofAnyKind(name) {
		return schema.GroupKind{}, nil, fmt.Errorf("objects of any kind are %s: %s", name, stateIt)
	}
	var found []schema.GroupKind
	var types []reflect.Type
	for _, scheme := range s {
		if scheme == nil {
			continue
		}
		for kind, typ := range scheme.AllKnownTypes() {
			if "*"+typ.String() != name {
				continue
			}
			if !slices.Contains(found, kind.GroupKind()) {
				found = append(found, kind.GroupKind())
			}
			if pointer := reflect.PointerTo(typ); !slices.Contains(types, pointer) {
				types = append(types, pointer)
			}
		}
	}
	if len(found) == 0 {
		return schema.GroupKind{}, nil, fmt.Errorf("no scheme has a type %s: %s, or add a scheme "+
			"that has the type with Manager.AddScheme", name, stateIt)
	}
	kind, err := single(name, found)
	if err != nil || len(types) != 1 {
		return kind, nil, err
	}
	return kind, types[0], nil
}

// ofAnyKind reports whether the objects of a Go type can be of any kind. Some schemes have metadata
// as a kind of its own.
func ofAnyKind(name string) bool {
	return name == reflect.TypeFor[*unstructured.Unstructured]().String() ||
		name == reflect.TypeFor[*metav1.PartialObjectMetadata]().String()
}

const stateIt = "state the kind with controller.WithKind or InformerOptions.Kind"

// single returns the only kind that was found.
func single(typ string, found []schema.GroupKind) (schema.GroupKind, error) {
	if len(found) != 1 {
		return schema.GroupKind{}, fmt.Errorf("%s is the type of several kinds (%s): %s",
			typ, strings.Join(names(found), ", "), stateIt)
	}
	return found[0], nil
}

// names returns the kinds as text, in order.
func names(kinds []schema.GroupKind) []string {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = kind.String()
	}
	slices.Sort(names)
	return names
}

func groupKinds(found []schema.GroupVersionKind) (kinds []schema.GroupKind) {
	for _, kind := range found {
		if !slices.Contains(kinds, kind.GroupKind()) {
			kinds = append(kinds, kind.GroupKind())
		}
	}
	return kinds
}
