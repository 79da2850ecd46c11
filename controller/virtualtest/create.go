// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"fmt"
	"math/rand/v2"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// create makes the object in the body.
func (w *writer) create() (*object, error) {
	o, err := w.decode()
	if err != nil {
		return nil, err
	}
	if o.GetResourceVersion() != "" {
		return nil, &apierrors.StatusError{ErrStatus: metav1.Status{ // the API server has no reason for it
			Status: metav1.StatusFailure, Code: http.StatusInternalServerError,
			Message: "resourceVersion should not be set on objects to be created",
		}}
	}
	if o.GetName() == "" {
		if o.GetGenerateName() == "" {
			return nil, unprocessable(fmt.Errorf("%s is invalid: metadata.name: name or generateName is required", w.resource.Kind))
		}
		o.SetName(o.GetGenerateName() + suffix())
	}
	o.SetManagedFields(nil)
	managed, err := w.manage(emptyObject(w.resource.gvk()), o)
	if err != nil {
		return nil, err
	}
	return w.add(managed)
}

// suffix completes a generateName.
func suffix() string {
	const letters = "bcdfghjklmnpqrstvwxz2456789"
	text := make([]byte, 5)
	for i := range text {
		text[i] = letters[rand.IntN(len(letters))]
	}
	return string(text)
}
