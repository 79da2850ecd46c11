// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"fmt"
	"net/url"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
)

// Object is a pointer to an object: of a Go type, such as *corev1.ConfigMap, or *unstructured.Unstructured. The
// kind of a Go type is that of the generated clientset that knows it ([ResourcesOf]), or else that of its name,
// unless the object has APIVersion and Kind set.
type Object interface {
	metav1.Object
	runtime.Object
}

// Create creates objects and fills in what the API sets. Like the other methods that take objects, it is the test's
// own hand: no hook and no delay touches it, and it fails the test at once if it does not succeed.
func (a *API) Create(objects ...Object) {
	a.t.Helper()
	for _, o := range objects {
		a.do("create", "", o)
	}
}

// Get reads an object by its namespace and name.
func (a *API) Get(o Object) {
	a.t.Helper()
	a.do("get", "", o)
}

// Update replaces an object, except for its status. An object with a resourceVersion that is not the newest fails the
// test.
func (a *API) Update(o Object) {
	a.t.Helper()
	a.do("update", "", o)
}

// UpdateStatus replaces the status of an object, as another controller or a kubelet would.
func (a *API) UpdateStatus(o Object) {
	a.t.Helper()
	a.do("update", "status", o)
}

// Delete deletes an object by its namespace and name. If it has finalizers, it stays until they are removed.
func (a *API) Delete(o Object) {
	a.t.Helper()
	a.do("delete", "", o)
}

// Exists reports whether there is an object of this kind, namespace and name.
func (a *API) Exists(o Object) bool {
	a.t.Helper()
	_, err := a.try("get", "", o)
	if err != nil && !apierrors.IsNotFound(err) {
		a.t.Fatalf("%v", err)
	}
	return err == nil
}

// List returns the objects of a Go type in a namespace, or in all if it is empty, by their names.
func List[O Object](a *API, namespace string) []O {
	a.t.Helper()
	r, err := a.served.of(schema.GroupVersionKind{}, reflect.TypeFor[O]().Elem())
	if err != nil {
		a.t.Fatalf("virtualtest: list %v: %v", reflect.TypeFor[O](), err)
	}
	a.store.mu.Lock()
	all := a.store.list(r.groupResource(), namespace)
	a.store.mu.Unlock()
	objects := make([]O, 0, len(all))
	for _, stored := range all {
		o := reflect.New(reflect.TypeFor[O]().Elem()).Interface().(O)
		if err := fill(o, form{}.of(stored, r)); err != nil {
			a.t.Fatalf("virtualtest: list %s: %v", r.Plural, err)
		}
		objects = append(objects, o)
	}
	return objects
}

// do makes a call, and reads the answer into the object.
func (a *API) do(verb, subresource string, o Object) {
	a.t.Helper()
	answer, err := a.try(verb, subresource, o)
	if err == nil && verb != "delete" {
		err = fill(o, answer)
	}
	if err != nil {
		a.t.Fatalf("virtualtest: %s %T %s/%s: %v", verb, o, o.GetNamespace(), o.GetName(), err)
	}
}

func (a *API) try(verb, subresource string, o Object) (any, error) {
	r, err := a.served.of(o.GetObjectKind().GroupVersionKind(), reflect.TypeOf(o).Elem())
	if err != nil {
		return nil, err
	}
	if namespaced := o.GetNamespace() != ""; namespaced == r.ClusterScoped {
		return nil, fmt.Errorf("the object has the namespace %q, and ClusterScoped of %s is %t", o.GetNamespace(), r.Plural, r.ClusterScoped)
	}
	call := Call{
		Verb: verb, Group: r.Group, Version: r.Version, Resource: r.Plural, Subresource: subresource, Namespace: o.GetNamespace(),
	}
	if verb != "create" {
		call.Name = o.GetName()
	}
	req := &request{Call: call, query: url.Values{"fieldManager": {"test"}}, contentType: "application/json"}
	if verb == "create" || verb == "update" {
		if req.body, err = encode(o, r); err != nil {
			return nil, err
		}
	}
	return serve(a.t.Context(), a.served, a.store, req)
}

// encode encodes an object with its apiVersion and kind.
func encode(o Object, r *Resource) ([]byte, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, fmt.Errorf("encode the object: %w", err)
	}
	content := &object{Object: fields}
	content.SetGroupVersionKind(r.gvk())
	return json.Marshal(content.Object)
}

// fill reads an answer into an object, in place of all that is in it.
func fill(o Object, answer any) error {
	text, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if u, ok := o.(*unstructured.Unstructured); ok {
		u.Object = nil
		return u.UnmarshalJSON(text)
	}
	kind := o.GetObjectKind().GroupVersionKind()
	reflect.ValueOf(o).Elem().SetZero()
	if err := json.Unmarshal(text, o); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	o.GetObjectKind().SetGroupVersionKind(kind) // client-go leaves it empty, too
	return nil
}
