// SPDX-License-Identifier: Apache-2.0

// Package finalizer runs a clean-up before an object goes.
//
// A controller that makes something outside the cluster has to remove it when the object is deleted.
// The object must not go before, or nobody would know of it any more. A finalizer on the object
// ensures that: [Reconcile] adds it, runs the clean-up and removes it.
package finalizer

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller"
)

// Reconcile reconciles an object that has something to clean up. Call it from the reconcile function,
// with the object that the function was given:
//
//   - An object that has not the finalizer gets it first, and nothing else happens if that fails. So
//     nothing is made for an object that could go unnoticed. Then reconcile is called, with the object
//     as the API server returned it.
//   - An object that is being deleted and has the finalizer is given to cleanUp. If that returns the
//     zero Result and nil, the finalizer is removed. If it returns another Result, the clean-up is not
//     finished: the object keeps its finalizer, and cleanUp is called again when the Result says.
//   - An object that is being deleted and has not the finalizer is left alone: it has been cleaned up.
//
// An error of cleanUp is returned with a text that names the object and the finalizer, so that the
// clean-up is tried again after a back-off. The context of cleanUp is limited by
// controller.ExternalContext. If it is cancelled, for example by a shutdown, the object keeps its
// finalizer, and the next process cleans up. So cleanUp may run several times for one object, and has
// to succeed when there is nothing left to remove.
//
// name is the finalizer: a domain, a slash and a word, such as example.com/bucket. Each clean-up of an
// object has its own. patch is the method Patch of the client for the object's namespace; the account
// needs the verb patch for the kind.
//
// The finalizer is written by a JSON patch which tests that the list, and the object's UID, are those
// that were read. So finalizers of other writers are never lost, and a change elsewhere in the object
// is no conflict, which would run the clean-up again. If the test fails, the error is a conflict, and
// the object is reconciled again from a newer cache. A server-side apply would not do: it removes only
// finalizers that it has added itself, and not those of an earlier version of the controller which
// used an update.
func Reconcile[T controller.Object](
	ctx context.Context,
	object T,
	name string,
	patch PatchFunc[T],
	reconcile, cleanUp controller.ReconcileFunc[T],
) (controller.Result, error) {
	has := slices.Contains(object.GetFinalizers(), name)
	deleted := !object.GetDeletionTimestamp().IsZero()
	switch {
	case deleted && has:
		return finish(ctx, object, name, patch, cleanUp)
	case deleted:
		return controller.Result{}, nil
	case !has:
		added, err := write(ctx, object, patch, addition(object, name))
		if err != nil {
			return controller.Result{}, fmt.Errorf("add the finalizer %s to %s: %w", name, nameOf(object), err)
		}
		object = added
	}
	return reconcile(ctx, object)
}

// Finish cleans up for an object that lives on but does not ask any more for what was made for it, for
// example because a label was removed, and then removes the finalizer. It does nothing if the object
// has not the finalizer. What it does otherwise is what [Reconcile] does for an object that is being
// deleted. The informer must have the object still: one that selects objects by that label has not, and
// the object could never be deleted.
func Finish[T controller.Object](
	ctx context.Context, object T, name string, patch PatchFunc[T], cleanUp controller.ReconcileFunc[T],
) (controller.Result, error) {
	if !slices.Contains(object.GetFinalizers(), name) {
		return controller.Result{}, nil
	}
	return finish(ctx, object, name, patch, cleanUp)
}

// finish cleans up, and removes the finalizer if that is done.
func finish[T controller.Object](
	ctx context.Context,
	object T,
	name string,
	patch PatchFunc[T],
	cleanUp controller.ReconcileFunc[T],
) (controller.Result, error) {
	external, cancel := controller.ExternalContext(ctx)
	defer cancel()
	result, err := cleanUp(external, object)
	if err != nil {
		return result, fmt.Errorf("clean up for %s, which keeps its finalizer %s until that succeeds: %w",
			nameOf(object), name, err)
	}
	if result != (controller.Result{}) {
		return result, nil
	}
	if _, err := write(ctx, object, patch, removal(object, name)); !isGone(err) {
		return result, fmt.Errorf("remove the finalizer %s from %s, which is cleaned up: %w", name, nameOf(object), err)
	}
	return result, nil
}

func nameOf(object metav1.Object) string {
	if object.GetNamespace() == "" {
		return object.GetName()
	}
	return object.GetNamespace() + "/" + object.GetName()
}
