// SPDX-License-Identifier: Apache-2.0

package crds

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

const (
	apiVersion = "apiextensions.k8s.io/v1"
	kind       = "CustomResourceDefinition"
)

// definition is a CRD, and where it was read.
type definition struct {
	object *unstructured.Unstructured
	from   string
}

func (d *definition) name() string { return d.object.GetName() }

// check returns what is wrong, and would be harder to find later.
func (d *definition) check() error {
	switch {
	case d.object.GetAPIVersion() != apiVersion || d.object.GetKind() != kind:
		return fmt.Errorf("%s: it is a %s %q of %s: %w", d.from, d.object.GetKind(), d.name(), d.object.GetAPIVersion(), ErrNotCRD)
	case d.name() == "":
		return fmt.Errorf("%s: the CRD has no metadata.name: it is the plural and the group, such as widgets.example.com", d.from)
	case len(d.served()) == 0:
		return fmt.Errorf("%s: CRD %s: no version is served: set served to true in one of spec.versions", d.from, d.name())
	}
	return nil
}

// served returns the resources that the API server is to serve, one a version.
func (d *definition) served() []schema.GroupVersionResource {
	group, _, _ := unstructured.NestedString(d.object.Object, "spec", "group")
	plural, _, _ := unstructured.NestedString(d.object.Object, "spec", "names", "plural")
	versions, _, _ := unstructured.NestedSlice(d.object.Object, "spec", "versions")
	var all []schema.GroupVersionResource
	for _, v := range versions {
		version, _ := v.(map[string]any)
		name, _ := version["name"].(string)
		if served, _ := version["served"].(bool); served {
			all = append(all, schema.GroupVersionResource{Group: group, Version: name, Resource: plural})
		}
	}
	return all
}

// readObjects makes definitions of objects.
func readObjects(objects []runtime.Object) ([]*definition, error) {
	var all []*definition
	var errs []error
	for i, o := range objects {
		d, err := definitionOf(o, fmt.Sprintf("object %d", i+1))
		if err == nil {
			err = d.check()
		}
		all, errs = append(all, d), append(errs, err)
	}
	if len(objects) == 0 {
		errs = append(errs, fmt.Errorf("there are no objects: %w", ErrNoCRD))
	}
	return all, errors.Join(errs...)
}

func definitionOf(o runtime.Object, from string) (*definition, error) {
	if o == nil || reflect.ValueOf(o).IsNil() {
		return nil, fmt.Errorf("%s is nil", from)
	}
	// By JSON, because what reads YAML may have made an *unstructured.Unstructured with numbers of a type that
	// cannot be copied.
	data, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("%s: encode the %T: %w", from, o, err)
	}
	fields := map[string]any{}
	if err := utiljson.Unmarshal(data, &fields); err != nil {
		return nil, fmt.Errorf("%s: decode the %T: %w", from, o, err)
	}
	d := &definition{object: &unstructured.Unstructured{Object: fields}, from: from}
	if o.GetObjectKind().GroupVersionKind().Empty() && reflect.TypeOf(o).Elem().Name() == kind {
		d.object.SetAPIVersion(apiVersion) // which a Go object need not have
		d.object.SetKind(kind)
	}
	return d, nil
}
