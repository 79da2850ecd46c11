// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
)

// writer makes one change. Its caller holds the store's lock.
type writer struct {
	*store
	*request
	resource *Resource
}

func (w *writer) dry() bool { return slices.Contains(w.query["dryRun"], metav1.DryRunAll) }

// manager returns who manages the fields that are written.
func (w *writer) manager() string {
	agent, _, _ := strings.Cut(w.userAgent, "/")
	return cmp.Or(w.query.Get("fieldManager"), agent, "unknown")
}

func (w *writer) key() types.NamespacedName {
	return types.NamespacedName{Namespace: w.Namespace, Name: w.Name}
}

// current returns the object that the call names.
func (w *writer) current() (*object, error) {
	if o := w.get(w.resource.groupResource(), w.key()); o != nil {
		return o.DeepCopy(), nil
	}
	return nil, apierrors.NewNotFound(w.resource.groupResource(), w.Name)
}

// decode reads the object in the body.
func (w *writer) decode() (*object, error) {
	o := &object{}
	if err := json.Unmarshal(w.body, &o.Object); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("decode the body: %v", err))
	}
	if o.Object == nil {
		return nil, apierrors.NewBadRequest("the body has no object")
	}
	if err := w.resource.typed(w.body); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("decode the body: %v", err))
	}
	return o, w.fits(o)
}

// typed returns an error if an object has a value that does not fit its Go type. That is known of built-in resources.
func (r *Resource) typed(text []byte) error {
	if r.goType == nil || !r.builtIn {
		return nil
	}
	return json.Unmarshal(text, reflect.New(r.goType).Interface())
}

// fits checks that an object is of the kind, namespace and name of the call, and fills in what it leaves out.
func (w *writer) fits(o *object) error {
	gvk := w.resource.gvk()
	if o.GetKind() == "" && o.GetAPIVersion() == "" {
		o.SetGroupVersionKind(gvk)
	}
	if got := o.GroupVersionKind(); got != gvk {
		return apierrors.NewBadRequest(fmt.Sprintf("the object is a %s, and the path is that of a %s", got, gvk))
	}
	switch own := o.GetNamespace(); {
	case own == "":
		o.SetNamespace(w.Namespace)
	case own != w.Namespace:
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	switch own := o.GetName(); {
	case own == "" && w.Name != "":
		o.SetName(w.Name)
	case w.Name != "" && own != w.Name:
		return apierrors.NewBadRequest(fmt.Sprintf(
			"the name of the object (%s) does not match the name on the URL (%s)", own, w.Name))
	}
	return nil
}

// patchType returns the kind of patch that the body is.
func (w *writer) patchType() types.PatchType {
	kind, _, _ := strings.Cut(w.contentType, ";")
	return types.PatchType(strings.TrimSpace(kind))
}
