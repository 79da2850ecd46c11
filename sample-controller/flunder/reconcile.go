// SPDX-License-Identifier: Apache-2.0

package flunder

import (
	"context"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller"
)

// Reconcile takes one Flunder through the phases and reports the verdict in its status. What can
// mend itself only by someone's edit is a verdict, not an error: nothing is tried in vain.
func (r *Reconciler) Reconcile(
	ctx context.Context,
	f *wardlev1beta1.Flunder,
) (controller.Result, error) {
	if !f.DeletionTimestamp.IsZero() {
		return controller.Result{}, nil // the garbage collector takes the Deployment, which it owns
	}
	var seen observed
	for _, look := range []phase{r.findDeployment, r.checkImage, r.checkReference, r.applyDeployment, r.checkRollout} {
		found, err := look(ctx, f, &seen)
		if err != nil {
			return controller.Result{}, err
		}
		if found != nil {
			return controller.Result{}, r.report(ctx, f, &seen, found)
		}
	}
	return controller.Result{}, r.report(ctx, f, &seen, available(f))
}
