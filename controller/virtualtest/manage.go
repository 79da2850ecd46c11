// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// fieldManager returns what merges applied objects and notes who manages which field.
func fieldManager(r *Resource, subresource string) (*managedfields.FieldManager, error) {
	var reset map[fieldpath.APIVersion]fieldpath.Filter
	version := fieldpath.APIVersion(r.apiVersion())
	if !r.NoStatus {
		filter := fieldpath.NewExcludeSetFilter(fieldpath.NewSet(fieldpath.MakePathOrDie("status")))
		if subresource == "status" {
			filter = fieldpath.NewIncludeMatcherFilter(fieldpath.MakePrefixMatcherOrDie("status"))
		}
		reset = map[fieldpath.APIVersion]fieldpath.Filter{version: filter}
	}
	make := managedfields.NewDefaultFieldManager
	converter := r.TypeConverter
	if converter == nil {
		make = managedfields.NewDefaultCRDFieldManager
		converter = managedfields.NewDeducedTypeConverter()
	}
	gvk := r.gvk()
	m, err := make(converter, unconverted{}, unconverted{}, unconverted{}, gvk, gvk.GroupVersion(), subresource, reset)
	if err != nil {
		return nil, fmt.Errorf("make the field manager of %s: %w", gvk, err)
	}
	return m, nil
}

// emptyObject is what is there before an object is created.
func emptyObject(gvk schema.GroupVersionKind) *object {
	o := &object{Object: map[string]any{}}
	o.SetGroupVersionKind(gvk)
	return o
}

// unconverted makes objects, and leaves them as they are.
type unconverted struct{}

func (unconverted) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	return emptyObject(kind), nil
}

func (unconverted) Default(runtime.Object) {}

func (unconverted) Convert(in, out, _ any) error {
	from, ok := in.(*object)
	to, also := out.(*object)
	if !ok || !also {
		return fmt.Errorf("convert %T to %T: both have to be unstructured", in, out)
	}
	to.Object = from.DeepCopy().Object
	return nil
}

func (unconverted) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	return in, nil
}

func (unconverted) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}
