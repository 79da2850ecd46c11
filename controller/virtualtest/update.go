// SPDX-License-Identifier: Apache-2.0

package virtualtest

import "fmt"

// update replaces an object, or its status, by the one in the body.
func (w *writer) update() (*object, error) {
	o, err := w.decode()
	if err != nil {
		return nil, err
	}
	before, err := w.current()
	if err != nil {
		return nil, err
	}
	if o.GetResourceVersion() == "" && !w.resource.builtIn {
		return nil, unprocessable(fmt.Errorf(
			"%s %q is invalid: metadata.resourceVersion: must be specified for an update", w.resource.Kind, w.Name))
	}
	return w.replace(before, o)
}

// patch changes an object, or its status, by the patch in the body.
func (w *writer) patch() (*object, error) {
	before, err := w.current()
	if err != nil {
		return nil, err
	}
	o, err := patched(before, w.resource, w.patchType(), w.body)
	if err != nil {
		return nil, err
	}
	if err := w.fits(o); err != nil {
		return nil, err
	}
	return w.replace(before, o)
}

// replace stores an object in place of what was there, unless that is another one than the writer knew.
func (w *writer) replace(before, o *object) (*object, error) {
	if v := o.GetResourceVersion(); v != "" && v != before.GetResourceVersion() {
		return nil, w.conflict("the object has been modified; please apply your changes to the latest version and try again")
	}
	if uid := o.GetUID(); uid != "" && uid != before.GetUID() {
		return nil, w.conflict(fmt.Sprintf("Precondition failed: UID in precondition: %s, UID in object meta: %s", uid, before.GetUID()))
	}
	stampUpdate(o, before, w.resource, w.Subresource)
	managed, err := w.manage(before, o)
	if err != nil {
		return nil, err
	}
	return w.settle(before, managed), nil
}
