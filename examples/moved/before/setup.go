// SPDX-License-Identifier: Apache-2.0

// Package before is the operator on controller-runtime.
package before

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
)

// referenceIndex finds Flunders by the one that they refer to.
const referenceIndex = "spec.flunderReference"

// Records is the DNS server's API.
type Records interface {
	Add(ctx context.Context, name string) error
	Remove(ctx context.Context, name string) error
}

// Reconciler reconciles Flunders.
type Reconciler struct {
	client.Client
	Records Records
}

// SetUp adds the controller to a manager.
func (r *Reconciler) SetUp(ctx context.Context, mgr ctrl.Manager) error {
	err := mgr.GetFieldIndexer().IndexField(ctx, &wardlev1beta1.Flunder{}, referenceIndex,
		func(o client.Object) []string {
			return []string{o.(*wardlev1beta1.Flunder).Spec.FlunderReference}
		})
	if err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&wardlev1beta1.Flunder{}).
		Owns(&appsv1.Deployment{}).
		Watches(&wardlev1beta1.Flunder{}, handler.EnqueueRequestsFromMapFunc(r.dependants)).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4}).
		Complete(r)
}

// dependants names the Flunders that refer to one.
func (r *Reconciler) dependants(ctx context.Context, o client.Object) []reconcile.Request {
	var list wardlev1beta1.FlunderList
	err := r.List(ctx, &list, client.InNamespace(o.GetNamespace()), client.MatchingFields{referenceIndex: o.GetName()})
	if err != nil {
		return nil
	}
	requests := make([]reconcile.Request, len(list.Items))
	for i := range list.Items {
		f := &list.Items[i]
		requests[i] = reconcile.Request{NamespacedName: types.NamespacedName{Namespace: f.Namespace, Name: f.Name}}
	}
	return requests
}
