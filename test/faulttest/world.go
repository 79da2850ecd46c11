// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"

	"github.com/lanyard-k8s/lanyard/test/internal/served"
)

// manager owns the fields that this package writes.
const manager = "faulttest"

// world is everybody but the program.
type world struct {
	config  *rest.Config
	client  *served.Client
	program *Program
	objects []*unstructured.Unstructured

	namespaced map[string]bool // resources
}

func newWorld(config *rest.Config, p *Program) (*world, error) {
	own := rest.CopyConfig(config)
	own.QPS, own.UserAgent = -1, manager
	client, err := served.NewClient(own)
	if err != nil {
		return nil, err
	}
	w := &world{config: own, client: client, program: p, namespaced: map[string]bool{}}
	for _, resource := range client.Namespaced() {
		w.namespaced[resource.String()] = true
	}
	for _, object := range p.Objects {
		u, err := toUnstructured(object)
		if err != nil {
			return nil, err
		}
		if _, _, err = client.Kind(u.GroupVersionKind(), "x"); err != nil {
			return nil, fmt.Errorf("Program.Objects has %s %q: %w", u.GetKind(), u.GetName(), err)
		}
		w.objects = append(w.objects, u)
	}
	return w, nil
}

func toUnstructured(object runtime.Object) (*unstructured.Unstructured, error) {
	gvk := object.GetObjectKind().GroupVersionKind()
	if gvk.Empty() {
		kinds, _, err := scheme.Scheme.ObjectKinds(object)
		if err != nil {
			return nil, fmt.Errorf("Program.Objects has a %T without TypeMeta, which client-go does not know: set its Kind and APIVersion", object)
		}
		gvk = kinds[0]
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("Program.Objects has a %T: %w", object, err)
	}
	u := &unstructured.Unstructured{Object: fields}
	u.SetGroupVersionKind(gvk)
	unstructured.RemoveNestedField(u.Object, "metadata", "creationTimestamp")
	unstructured.RemoveNestedField(u.Object, "status") // which the program writes
	return u, nil
}

var namespaces = schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}

// makeNamespace makes one with all that the program needs.
func (w *world) makeNamespace(ctx context.Context) (string, error) {
	client, _, err := w.client.Kind(namespaces, "")
	if err != nil {
		return "", err
	}
	namespace := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"generateName": "faulttest-"}}}
	namespace.SetGroupVersionKind(namespaces)
	namespace.SetLabels(w.program.NamespaceLabels)
	made, err := client.Create(ctx, namespace, metav1.CreateOptions{FieldManager: manager})
	if err != nil {
		return "", fmt.Errorf("make a namespace: %w", err)
	}
	for i := range w.objects {
		if err := w.make(ctx, made.GetName(), i); err != nil {
			return "", err
		}
	}
	if w.program.SetUp == nil {
		return made.GetName(), nil
	}
	if err := w.program.SetUp(ctx, rest.CopyConfig(w.config), made.GetName()); err != nil {
		return "", fmt.Errorf("Program.SetUp: %w", err)
	}
	return made.GetName(), nil
}

func (w *world) object(namespace string, i int) (dynamic.ResourceInterface, string) {
	client, _, err := w.client.Kind(w.objects[i].GroupVersionKind(), namespace)
	if err != nil {
		panic(err) // it has been asked for before
	}
	return client, w.objects[i].GetName()
}

// make makes the i-th object.
func (w *world) make(ctx context.Context, namespace string, i int) error {
	client, name := w.object(namespace, i)
	object := w.objects[i].DeepCopy()
	object.SetNamespace(namespace)
	_, err := client.Create(ctx, object, metav1.CreateOptions{FieldManager: manager})
	if err != nil {
		return fmt.Errorf("make the %s %q of Program.Objects: %w", object.GetKind(), name, err)
	}
	return nil
}

// delete deletes the first object. It may stay for its finalizers.
func (w *world) delete(ctx context.Context, namespace string) error {
	client, name := w.object(namespace, 0)
	background := metav1.DeletePropagationBackground
	err := client.Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &background})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete the first object: %w", err)
	}
	return nil
}

// change changes the first object, as the user says, or by an annotation.
func (w *world) change(ctx context.Context, namespace string) error {
	client, name := w.object(namespace, 0)
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		object, err := client.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if w.program.Change != nil {
			w.program.Change(object)
		} else {
			annotations := object.GetAnnotations()
			if annotations == nil {
				annotations = map[string]string{}
			}
			annotations["faulttest.example.com/changed"] = "by somebody else"
			object.SetAnnotations(annotations)
		}
		_, err = client.Update(ctx, object, metav1.UpdateOptions{FieldManager: manager})
		return err
	})
}

var leases = schema.GroupVersionKind{Group: "coordination.k8s.io", Version: "v1", Kind: "Lease"}

// hold writes the holder of a Lease; an empty one releases it.
func (w *world) hold(ctx context.Context, lease leaseName, holder string) error {
	client, _, err := w.client.Kind(leases, lease.namespace)
	if err != nil {
		return err
	}
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		object, err := client.Get(ctx, lease.name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		spec, _, _ := unstructured.NestedMap(object.Object, "spec")
		if spec == nil {
			spec = map[string]any{}
		}
		terms, _ := spec["leaseTransitions"].(int64)
		spec["holderIdentity"] = holder
		if holder != "" {
			spec["leaseTransitions"], spec["leaseDurationSeconds"] = terms+1, int64(15)
			spec["renewTime"] = time.Now().UTC().Format(metav1.RFC3339Micro)
		}
		object.Object["spec"] = spec
		_, err = client.Update(ctx, object, metav1.UpdateOptions{FieldManager: manager})
		return err
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// remove removes a namespace with all in it, also where no controller does.
func (w *world) remove(ctx context.Context, namespace string, resources []schema.GroupResource) error {
	for _, resource := range resources {
		if err := w.empty(ctx, namespace, resource); err != nil {
			return err
		}
	}
	client, _, err := w.client.Kind(namespaces, "")
	if err != nil {
		return err
	}
	if err := client.Delete(ctx, namespace, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	object, err := client.Get(ctx, namespace, metav1.GetOptions{})
	if err != nil {
		return ignoreNotFound(err)
	}
	object.Object["spec"] = map[string]any{"finalizers": []any{}}
	_, err = client.Update(ctx, object, metav1.UpdateOptions{FieldManager: manager}, "finalize")
	if apierrors.IsConflict(err) {
		return nil // a controller does it
	}
	return ignoreNotFound(err)
}

// empty deletes all objects of a resource, whatever holds them.
func (w *world) empty(ctx context.Context, namespace string, resource schema.GroupResource) error {
	client, namespaced, err := w.client.Resource(resource, namespace)
	if err != nil || !namespaced {
		return err
	}
	list, err := client.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	now := int64(0)
	for i := range list.Items {
		name := list.Items[i].GetName()
		if len(list.Items[i].GetFinalizers()) > 0 {
			patch := []byte(`{"metadata":{"finalizers":null}}`)
			if _, err := client.Patch(ctx, name, mergePatch, patch, metav1.PatchOptions{FieldManager: manager}); ignoreNotFound(err) != nil {
				return err
			}
		}
		if err := client.Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &now}); ignoreNotFound(err) != nil {
			return err
		}
	}
	return nil
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

const mergePatch = "application/merge-patch+json"
