// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"fmt"
	"net/http"
	"reflect"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// patched returns an object with a patch, other than that of a server-side apply.
func patched(o *object, r *Resource, kind types.PatchType, patch []byte) (*object, error) {
	original, err := o.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", keyOf(o), err)
	}
	var text []byte
	switch kind {
	case types.JSONPatchType:
		var operations jsonpatch.Patch
		if operations, err = jsonpatch.DecodePatch(patch); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		if text, err = operations.Apply(original); err != nil {
			return nil, unprocessable(err)
		}
	case types.MergePatchType:
		if text, err = jsonpatch.MergePatch(original, patch); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
	case types.StrategicMergePatchType:
		if r.goType == nil || !r.builtIn {
			return nil, unsupported(kind)
		}
		data := reflect.New(r.goType).Elem().Interface()
		if text, err = strategicpatch.StrategicMergePatch(original, patch, data); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
	default:
		return nil, unsupported(kind)
	}
	result := &object{}
	if err := json.Unmarshal(text, &result.Object); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if err := r.typed(text); err != nil {
		return nil, unprocessable(err)
	}
	return result, nil
}

func unprocessable(err error) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnprocessableEntity, Reason: metav1.StatusReasonInvalid,
		Message: err.Error(),
	}}
}

func unsupported(kind types.PatchType) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: fmt.Sprintf("the body of the request was in an unknown format: %s", kind),
	}}
}
