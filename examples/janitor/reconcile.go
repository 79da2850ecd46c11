// SPDX-License-Identifier: Apache-2.0

package janitor

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
)

// reconciler takes care of the objects of one kind.
type reconciler struct {
	client dynamic.NamespaceableResourceInterface
	field  string // that has the lifetime
}

// reconcile deletes an object whose lifetime is over, and otherwise comes back at that time.
func (r *reconciler) reconcile(ctx context.Context, object *unstructured.Unstructured) (controller.Result, error) {
	lifetime, found, err := lifetimeOf(object, r.field)
	if err != nil {
		return controller.Result{}, controller.TerminalError(err) // until the object changes
	}
	if !found || object.GetDeletionTimestamp() != nil {
		return controller.Result{}, nil
	}
	if end := object.GetCreationTimestamp().Add(lifetime); time.Now().Before(end) {
		return controller.Result{RequeueAt: end}, nil
	}
	// The version keeps the call from deleting an object whose lifetime was made longer meanwhile.
	err = r.client.Namespace(object.GetNamespace()).Delete(ctx, object.GetName(), metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{
			UID: ptr.To(object.GetUID()), ResourceVersion: ptr.To(object.GetResourceVersion()),
		},
		PropagationPolicy: ptr.To(metav1.DeletePropagationBackground),
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return controller.Result{}, fmt.Errorf("delete it, because its lifetime of %v is over: %w", lifetime, err)
	}
	return controller.Result{}, nil
}

// lifetimeOf returns what a field of an object says. found is false if the object has no such field: it
// lives on.
func lifetimeOf(object *unstructured.Unstructured, field string) (lifetime time.Duration, found bool, err error) {
	value, found, err := unstructured.NestedString(object.Object, strings.Split(field, ".")...)
	if err != nil || !found || value == "" {
		return 0, false, err
	}
	lifetime, err = time.ParseDuration(value)
	if err != nil || lifetime < 0 {
		return 0, false, fmt.Errorf("%s is %q: set it to a duration such as 36h, or remove it", field, value)
	}
	return lifetime, true, nil
}
