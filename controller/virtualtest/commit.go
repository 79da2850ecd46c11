// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// manage notes who manages the fields that a write other than an apply has changed.
func (w *writer) manage(before, o *object) (*object, error) {
	fields, err := fieldManager(w.resource, w.Subresource)
	if err != nil {
		return nil, err
	}
	managed, err := fields.Update(before, o, w.manager())
	if err != nil {
		return nil, unprocessable(err)
	}
	return managed.(*object), nil
}

// add stores a new object.
func (w *writer) add(o *object) (*object, error) {
	of := w.resource.groupResource()
	if w.get(of, keyOf(o)) != nil {
		return nil, apierrors.NewAlreadyExists(of, o.GetName())
	}
	w.uids++
	stampNew(o, w.resource, w.uids)
	if !w.dry() {
		w.put(of, o)
	}
	return o, nil
}

// settle stores an updated object, or removes it if nothing keeps it any longer.
func (w *writer) settle(before, o *object) *object {
	of := w.resource.groupResource()
	switch {
	case w.dry():
	case o.GetDeletionTimestamp() != nil && len(o.GetFinalizers()) == 0:
		w.remove(of, o)
	case !reflect.DeepEqual(o.Object, before.Object): // or there is no change, and no new version
		w.put(of, o)
	}
	return o
}

func (w *writer) conflict(why string) error {
	return apierrors.NewConflict(w.resource.groupResource(), w.Name, fmt.Errorf("%s", why))
}
