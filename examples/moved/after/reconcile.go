// SPDX-License-Identifier: Apache-2.0

package after

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/utils/ptr"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	wardleac "github.com/lanyard-k8s/lanyard/applyconfiguration/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/apply"
	"github.com/lanyard-k8s/lanyard/controller/finalizer"
)

const (
	// Finalizer keeps a Flunder until its record is gone.
	Finalizer = "moved.example.com/record"

	fieldManager = "moved-example"
)

// reconcile reconciles one Flunder.
func (r *reconciler) reconcile(ctx context.Context, f *wardlev1beta1.Flunder) (controller.Result, error) {
	return finalizer.Reconcile(ctx, f, Finalizer, r.flunders.Flunders(f.Namespace).Patch, r.ensure, r.cleanUp)
}

func (r *reconciler) ensure(ctx context.Context, f *wardlev1beta1.Flunder) (controller.Result, error) {
	if err := r.records.Add(ctx, f.Namespace+"/"+f.Name); err != nil {
		return controller.Result{}, fmt.Errorf("add the record: %w", err)
	}
	if name := f.Spec.FlunderReference; name != "" {
		referred, err := r.flunderCache.Flunders(f.Namespace).Get(name)
		if err != nil && !apierrors.IsNotFound(err) {
			return controller.Result{}, err
		}
		if err != nil || !meta.IsStatusConditionTrue(referred.Status.Conditions, wardlev1beta1.ConditionReady) {
			return controller.Result{}, r.report(ctx, f, nil, wardlev1beta1.ReasonReferenceNotReady)
		}
	}
	deployment, err := r.deploy(ctx, f)
	if err != nil {
		return controller.Result{}, fmt.Errorf("apply the Deployment: %w", err)
	}
	reason := wardlev1beta1.ReasonRollingOut
	if deployment.Status.AvailableReplicas == ptr.Deref(f.Spec.Replicas, 1) {
		reason = wardlev1beta1.ReasonAvailable
	}
	return controller.Result{}, r.report(ctx, f, deployment, reason)
}

func (r *reconciler) cleanUp(ctx context.Context, f *wardlev1beta1.Flunder) (controller.Result, error) {
	return controller.Result{}, r.records.Remove(ctx, f.Namespace+"/"+f.Name)
}

func (r *reconciler) deploy(ctx context.Context, f *wardlev1beta1.Flunder) (*appsv1.Deployment, error) {
	live, err := r.deployCache.Deployments(f.Namespace).Get(f.Name)
	if apierrors.IsNotFound(err) {
		live = nil
	} else if err != nil {
		return nil, err
	} else if !metav1.IsControlledBy(live, f) {
		return nil, controller.TerminalError(fmt.Errorf("the Deployment %s is not this Flunder's: delete it", live.Name))
	}
	labels := map[string]string{"app": f.Name}
	desired := appsac.Deployment(f.Name, f.Namespace).
		WithOwnerReferences(metaac.OwnerReference().
			WithAPIVersion(wardlev1beta1.SchemeGroupVersion.String()).WithKind("Flunder").
			WithName(f.Name).WithUID(f.UID).WithController(true).WithBlockOwnerDeletion(true)).
		WithSpec(appsac.DeploymentSpec().
			WithReplicas(ptr.Deref(f.Spec.Replicas, 1)).
			WithSelector(metaac.LabelSelector().WithMatchLabels(labels)).
			WithTemplate(coreac.PodTemplateSpec().WithLabels(labels).WithSpec(coreac.PodSpec().
				WithContainers(coreac.Container().WithName("app").WithImage(f.Spec.Image)))))
	return apply.IfDifferent(ctx, live, desired, r.deployments.Deployments(f.Namespace).Apply,
		metav1.ApplyOptions{FieldManager: fieldManager, Force: live != nil})
}

func (r *reconciler) report(
	ctx context.Context, f *wardlev1beta1.Flunder, deployment *appsv1.Deployment, reason string,
) error {
	status := wardleac.FlunderStatus().WithObservedGeneration(f.Generation)
	if deployment != nil {
		status.WithReadyReplicas(deployment.Status.ReadyReplicas)
	}
	ready := metaac.Condition().WithType(wardlev1beta1.ConditionReady).WithStatus(metav1.ConditionFalse).
		WithReason(reason).WithMessage("").WithObservedGeneration(f.Generation)
	if reason == wardlev1beta1.ReasonAvailable {
		ready.WithStatus(metav1.ConditionTrue)
	}
	status.WithConditions(apply.Conditions(f.Status.Conditions, ready)...)
	_, err := apply.IfDifferent(ctx, f, wardleac.Flunder(f.Name, f.Namespace).WithUID(f.UID).WithStatus(status),
		r.flunders.Flunders(f.Namespace).ApplyStatus, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	return err
}
