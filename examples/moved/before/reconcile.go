// SPDX-License-Identifier: Apache-2.0

package before

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
)

// Finalizer keeps a Flunder until its record is gone.
const Finalizer = "moved.example.com/record"

// Reconcile reconciles one Flunder.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var f wardlev1beta1.Flunder
	if err := r.Get(ctx, req.NamespacedName, &f); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !f.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.cleanUp(ctx, &f)
	}
	if controllerutil.AddFinalizer(&f, Finalizer) {
		if err := r.Update(ctx, &f); err != nil {
			return ctrl.Result{}, err
		}
	}
	if err := r.Records.Add(ctx, f.Namespace+"/"+f.Name); err != nil {
		return ctrl.Result{}, fmt.Errorf("add the record: %w", err)
	}
	if name := f.Spec.FlunderReference; name != "" {
		var referred wardlev1beta1.Flunder
		err := r.Get(ctx, client.ObjectKey{Namespace: f.Namespace, Name: name}, &referred)
		if client.IgnoreNotFound(err) != nil {
			return ctrl.Result{}, err
		}
		if err != nil || !meta.IsStatusConditionTrue(referred.Status.Conditions, wardlev1beta1.ConditionReady) {
			return ctrl.Result{}, r.report(ctx, &f, nil, wardlev1beta1.ReasonReferenceNotReady)
		}
	}
	deployment, err := r.deploy(ctx, &f)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("create or update the Deployment: %w", err)
	}
	reason := wardlev1beta1.ReasonRollingOut
	if deployment.Status.AvailableReplicas == ptr.Deref(f.Spec.Replicas, 1) {
		reason = wardlev1beta1.ReasonAvailable
	}
	return ctrl.Result{}, r.report(ctx, &f, deployment, reason)
}

func (r *Reconciler) cleanUp(ctx context.Context, f *wardlev1beta1.Flunder) error {
	if !controllerutil.ContainsFinalizer(f, Finalizer) {
		return nil
	}
	if err := r.Records.Remove(ctx, f.Namespace+"/"+f.Name); err != nil {
		return fmt.Errorf("remove the record: %w", err)
	}
	controllerutil.RemoveFinalizer(f, Finalizer)
	return r.Update(ctx, f)
}

func (r *Reconciler) deploy(ctx context.Context, f *wardlev1beta1.Flunder) (*appsv1.Deployment, error) {
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: f.Namespace, Name: f.Name}}
	_, err := controllerutil.CreateOrUpdate(ctx, r.Client, deployment, func() error {
		labels := map[string]string{"app": f.Name}
		deployment.Spec.Replicas = f.Spec.Replicas
		deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
		deployment.Spec.Template.Labels = labels
		if len(deployment.Spec.Template.Spec.Containers) != 1 {
			deployment.Spec.Template.Spec.Containers = make([]corev1.Container, 1)
		}
		deployment.Spec.Template.Spec.Containers[0].Name = "app"
		deployment.Spec.Template.Spec.Containers[0].Image = f.Spec.Image
		return controllerutil.SetControllerReference(f, deployment, r.Scheme())
	})
	return deployment, err
}

func (r *Reconciler) report(
	ctx context.Context, f *wardlev1beta1.Flunder, deployment *appsv1.Deployment, reason string,
) error {
	before := f.DeepCopy()
	if deployment != nil {
		f.Status.ReadyReplicas = deployment.Status.ReadyReplicas
	}
	f.Status.ObservedGeneration = f.Generation
	status := metav1.ConditionFalse
	if reason == wardlev1beta1.ReasonAvailable {
		status = metav1.ConditionTrue
	}
	meta.SetStatusCondition(&f.Status.Conditions, metav1.Condition{
		Type: wardlev1beta1.ConditionReady, Status: status, Reason: reason, ObservedGeneration: f.Generation,
	})
	return r.Status().Patch(ctx, f, client.MergeFrom(before))
}
