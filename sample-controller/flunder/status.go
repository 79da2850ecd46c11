// SPDX-License-Identifier: Apache-2.0

package flunder

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	wardleac "github.com/lanyard-k8s/lanyard/applyconfiguration/wardle/v1beta1"
)

// report writes the status when it differs from the one that is there, and an event when the Ready
// condition has a new reason.
func (r *Reconciler) report(
	ctx context.Context,
	f *wardlev1beta1.Flunder,
	seen *observed,
	v *verdict,
) error {
	status := desiredStatus(f, seen, v)
	if equality.Semantic.DeepEqual(f.Status, status) {
		return nil
	}
	_, err := r.flunders.Flunders(f.Namespace).ApplyStatus(ctx, statusConfiguration(f, status),
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
) wardlev1beta1.FlunderStatus {
	status := wardlev1beta1.FlunderStatus{
		ObservedGeneration: f.Generation,
		Selector:           labels.Set{labelFlunder: f.Name}.String(),
		Conditions:         slices.Clone(f.Status.Conditions),
	}
	if seen.deployment != nil {
		status.Replicas = seen.deployment.Status.Replicas
		status.ReadyReplicas = seen.deployment.Status.ReadyReplicas
	}
	condition := metav1.Condition{
		Reason:             v.reason,
		Message:            v.message,
		ObservedGeneration: f.Generation,
	}
	condition.Type, condition.Status = wardlev1beta1.ConditionReady, v.ready
	meta.SetStatusCondition(&status.Conditions, condition)
	condition.Type, condition.Status = wardlev1beta1.ConditionProgressing, v.progressing
	meta.SetStatusCondition(&status.Conditions, condition)
	return status
}

func statusConfiguration(
	f *wardlev1beta1.Flunder,
	status wardlev1beta1.FlunderStatus,
) *wardleac.FlunderApplyConfiguration {
	configuration := wardleac.FlunderStatus().
		WithObservedGeneration(status.ObservedGeneration).
		WithReplicas(status.Replicas).
		WithReadyReplicas(status.ReadyReplicas).
		WithSelector(status.Selector)
	for _, c := range status.Conditions {
		configuration.WithConditions(metaac.Condition().
			WithType(c.Type).WithStatus(c.Status).WithReason(c.Reason).WithMessage(c.Message).
			WithObservedGeneration(c.ObservedGeneration).
			WithLastTransitionTime(c.LastTransitionTime))
	}
	// The UID keeps the status from a Flunder that has taken the name of a deleted one.
	return wardleac.Flunder(f.Name, f.Namespace).WithUID(f.UID).WithStatus(configuration)
}
