// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/yaml"
)

// apply merges the object in the body into what is there.
func (w *writer) apply() (*object, error) {
	if w.query.Get("fieldManager") == "" {
		return nil, unprocessable(fmt.Errorf("PatchOptions is invalid: fieldManager: is required for apply patch"))
	}
	applied, err := w.decodeApplied()
	if err != nil {
		return nil, err
	}
	before, err := w.current()
	isNew := err != nil
	if isNew {
		if w.Subresource != "" {
			return nil, err
		}
		before = emptyObject(w.resource.gvk())
		before.SetNamespace(w.Namespace)
		before.SetName(w.Name)
	}
	if v := applied.GetResourceVersion(); v != "" && v != before.GetResourceVersion() {
		return nil, w.conflict("the object has been modified")
	}
	if uid := applied.GetUID(); uid != "" && uid != before.GetUID() {
		return nil, w.conflict(fmt.Sprintf("Precondition failed: UID in precondition: %s, UID in object meta: %s", uid, before.GetUID()))
	}
	fields, err := fieldManager(w.resource, w.Subresource)
	if err != nil {
		return nil, err
	}
	merged, err := fields.Apply(before, applied, w.manager(), w.query.Get("force") == "true")
	if err != nil {
		return nil, err
	}
	o := merged.(*object).DeepCopy()
	if isNew {
		return w.add(o)
	}
	stampUpdate(o, before, w.resource, w.Subresource)
	return w.settle(before, o), nil
}

// decodeApplied reads the body of an apply, which may be YAML.
func (w *writer) decodeApplied() (*object, error) {
	text, err := yaml.YAMLToJSON(w.body)
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("decode the body: %v", err))
	}
	w.body = text
	o, err := w.decode()
	if err != nil {
		return nil, err
	}
	if len(o.GetManagedFields()) > 0 {
		return nil, apierrors.NewBadRequest("metadata.managedFields must be nil")
	}
	return o, nil
}
