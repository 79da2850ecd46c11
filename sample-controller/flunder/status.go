// SPDX-License-Identifier: Apache-2.0

package flunder

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	wardleac "github.com/lanyard-k8s/lanyard/applyconfiguration/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller/apply"
)

// report writes the status when it differs from the one that is there, and an event when the Ready
// condition has a new reason.
func (r *Reconciler) report(
	ctx context.Context,
	f *wardlev1beta1.Flunder,
	seen *observed,
	v *verdict,
) error {
	_, err := apply.IfDifferent(ctx, f, desiredStatus(f, seen, v), r.flunders.Flunders(f.Namespace).ApplyStatus,
		metav1.ApplyOptions{FieldManager: FieldManager, Force: true})
	if apierrors.IsNotFound(err) {
		return nil // deleted since
	}
	if err != nil {
		return fmt.Errorf("apply the status: %w", err)
	}
	before := meta.FindStatusCondition(f.Status.Conditions, wardlev1beta1.ConditionReady)
	if before == nil || before.Reason != v.reason {
		r.events.Eventf(ctx, f, nil, eventType(v), v.reason, "Reconcile", "%s", v.message)
	}
	return nil
}

func eventType(v *verdict) string {
	if v.ready != metav1.ConditionTrue && v.progressing != metav1.ConditionTrue {
		return corev1.EventTypeWarning
	}
	return corev1.EventTypeNormal
}

func desiredStatus(
	f *wardlev1beta1.Flunder,
	seen *observed,
	v *verdict,
) *wardleac.FlunderApplyConfiguration {
	var deployment appsv1.DeploymentStatus
	if seen.deployment != nil {
		deployment = seen.deployment.Status
	}
	// The UID keeps the status from a Flunder that has taken the name of a deleted one.
	return wardleac.Flunder(f.Name, f.Namespace).WithUID(f.UID).WithStatus(wardleac.FlunderStatus().
		WithObservedGeneration(f.Generation).
		WithReplicas(deployment.Replicas).
		WithReadyReplicas(deployment.ReadyReplicas).
		WithSelector(labels.Set{labelFlunder: f.Name}.String()).
		WithConditions(apply.Conditions(f.Status.Conditions,
			condition(f, v, wardlev1beta1.ConditionReady, v.ready),
			condition(f, v, wardlev1beta1.ConditionProgressing, v.progressing))...))
}

func condition(
	f *wardlev1beta1.Flunder,
	v *verdict,
	conditionType string,
	status metav1.ConditionStatus,
) *metaac.ConditionApplyConfiguration {
	return metaac.Condition().WithType(conditionType).WithStatus(status).
		WithReason(v.reason).WithMessage(v.message).WithObservedGeneration(f.Generation)
}
