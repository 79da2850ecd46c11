// SPDX-License-Identifier: Apache-2.0

package finalizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// PatchFunc is the method Patch of a client: of a generated one, the dynamic one or the metadata one.
type PatchFunc[T any] func(
	ctx context.Context,
	name string,
	patchType types.PatchType,
	data []byte,
	options metav1.PatchOptions,
	subresources ...string,
) (T, error)

// list is where an object has its finalizers, as a JSON pointer.
const list = "/metadata/finalizers"

// operation is one operation of a JSON patch (RFC 6902). A value of null is written too: it tests that
// there is none.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// addition adds the finalizer at the end of the list.
func addition(object metav1.Object, name string) []operation {
	before := object.GetFinalizers()
	if len(before) == 0 {
		return []operation{{"test", list, nil}, {"add", list, []string{name}}}
	}
	return []operation{{"test", list, before}, {"add", list + "/-", name}}
}

// removal removes the finalizer from its place in the list. It tests that place only: what others do
// after it does not matter.
func removal(object metav1.Object, name string) []operation {
	place := fmt.Sprintf("%s/%d", list, slices.Index(object.GetFinalizers(), name))
	return []operation{{"test", place, name}, {"remove", place, nil}}
}

// write sends a JSON patch for this object, and not for one that has taken its name.
func write[T metav1.Object](
	ctx context.Context,
	object T,
	patch PatchFunc[T],
	operations []operation,
) (T, error) {
	var none T
	if uid := object.GetUID(); uid != "" { // which client-go's fakes do not give to objects
		operations = append([]operation{{"test", "/metadata/uid", uid}}, operations...)
	}
	data, err := json.Marshal(operations)
	if err != nil {
		return none, err
	}
	patched, err := patch(ctx, object.GetName(), types.JSONPatchType, data, metav1.PatchOptions{})
	if err != nil {
		return none, conflictOf(err)
	}
	return patched, nil
}

// conflictOf turns an answer that means that the object is not as it was read into a conflict: a test
// of the patch that failed, which the API server calls invalid and gives no causes for, or a finalizer
// that came too late, because the object is being deleted.
func conflictOf(err error) error {
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) {
		return err
	}
	if details := status.Status().Details; details != nil {
		for _, cause := range details.Causes {
			if cause.Type != metav1.CauseTypeForbidden || cause.Field != "metadata.finalizers" {
				return err
			}
		}
	}
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusConflict, Reason: metav1.StatusReasonConflict,
		Message: fmt.Sprintf("the object has changed since it was read: %v", err),
	}}
}

// isGone reports whether the finalizer is removed: by this write, or because the object is gone.
func isGone(err error) bool { return err == nil || apierrors.IsNotFound(err) }
