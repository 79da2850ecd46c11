// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"reflect"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
)

// Resource is what an [API] serves of one kind in one version. Group, Version and Kind must be set.
type Resource struct {
	Group, Version, Kind string

	// Plural is the name in paths, such as widgets. Default: the plural of Kind in lower case, as
	// generators guess it.
	Plural string

	// ClusterScoped says that the objects are in no namespace.
	ClusterScoped bool

	// NoStatus says that there is no status subresource: the status is a field like the others.
	NoStatus bool

	// SelectableFields are the paths, such as ".spec.color", that a field selector may name besides
	// metadata.name and metadata.namespace.
	SelectableFields []string

	// TypeConverter knows the kind's schema, for server-side apply. The function NewTypeConverter of
	// generated apply configurations makes one. Default: none, with which lists are merged as one value.
	TypeConverter managedfields.TypeConverter

	goType    reflect.Type
	builtIn   bool
	unversion bool // a generation is not kept
}

func (r *Resource) gvk() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind}
}

func (r *Resource) groupResource() schema.GroupResource {
	return schema.GroupResource{Group: r.Group, Resource: r.Plural}
}

func (r *Resource) apiVersion() string { return r.gvk().GroupVersion().String() }

// complete sets the defaults.
func (r *Resource) complete() {
	if r.Plural == "" {
		plural, _ := meta.UnsafeGuessKindToResource(r.gvk())
		r.Plural = plural.Resource
	}
}
