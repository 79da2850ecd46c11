// SPDX-License-Identifier: Apache-2.0

package flunder

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/utils/ptr"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/apply"
	"github.com/lanyard-k8s/lanyard/controller/tracing"
)

// labelFlunder is on a Flunder's Deployment and pods, with the Flunder's name.
const labelFlunder = wardlev1beta1.GroupName + "/flunder"

// inTheWay wakes the Flunder of a Deployment's name, for when the Deployment is someone else's:
// once it is gone, the Flunder can have its own.
func inTheWay(_ context.Context, d *appsv1.Deployment) []controller.Request {
	return []controller.Request{{Namespace: d.Namespace, Name: d.Name}}
}

// findDeployment looks for the Flunder's Deployment, and leaves one of someone else's alone.
func (r *Reconciler) findDeployment(
	_ context.Context,
	f *wardlev1beta1.Flunder,
	seen *observed,
) (*verdict, error) {
	deployment, err := r.deployCache.Deployments(f.Namespace).Get(f.Name)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the Deployment from the cache: %w", err)
	case !metav1.IsControlledBy(deployment, f):
		return notOurs(f), nil
	}
	seen.deployment = deployment
	return nil, nil
}

func notOurs(f *wardlev1beta1.Flunder) *verdict {
	return blocked(
		wardlev1beta1.ReasonDeploymentConflict,
		fmt.Sprintf(
			"the Deployment %q exists and is not this Flunder's: delete or rename one of them",
			f.Name,
		),
	)
}

// applyDeployment applies the Deployment by server-side apply, unless what it would apply is there.
// It takes nothing by force that it does not own: of an existing Deployment it names the UID, and
// where there was none it lets conflicts with whoever was faster stand.
func (r *Reconciler) applyDeployment(
	ctx context.Context,
	f *wardlev1beta1.Flunder,
	seen *observed,
) (*verdict, error) {
	desired := desiredDeployment(f)
	if seen.deployment != nil {
		desired.WithUID(seen.deployment.UID)
	}
	applied, err := apply.IfDifferent(ctx, seen.deployment, tracing.Inject(ctx, desired, seen.deployment),
		r.deployments.Deployments(f.Namespace).Apply,
		metav1.ApplyOptions{FieldManager: FieldManager, Force: seen.deployment != nil})
	switch {
	case apierrors.IsConflict(err) && seen.deployment == nil:
		return notOurs(f), nil
	case apierrors.IsInvalid(err), apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return blocked(
			wardlev1beta1.ReasonDeploymentRejected,
			fmt.Sprintf("the API server rejected the Deployment: %v", err),
		), nil
	case err != nil:
		return nil, fmt.Errorf("apply the Deployment: %w", err)
	}
	seen.deployment = applied
	return nil, nil
}

func desiredDeployment(f *wardlev1beta1.Flunder) *appsac.DeploymentApplyConfiguration {
	labels := map[string]string{labelFlunder: f.Name}
	return appsac.Deployment(f.Name, f.Namespace).
		WithLabels(labels).
		WithOwnerReferences(metaac.OwnerReference().
			WithAPIVersion(wardlev1beta1.SchemeGroupVersion.String()).
			WithKind("Flunder").
			WithName(f.Name).
			WithUID(f.UID).
			WithController(true).
			WithBlockOwnerDeletion(true)).
		WithSpec(appsac.DeploymentSpec().
			WithReplicas(ptr.Deref(f.Spec.Replicas, 1)).
			WithSelector(metaac.LabelSelector().WithMatchLabels(labels)).
			WithTemplate(coreac.PodTemplateSpec().
				WithLabels(labels).
				WithSpec(coreac.PodSpec().
					WithContainers(coreac.Container().WithName("flunder").WithImage(f.Spec.Image)),
				)))
}

// checkRollout waits until the Deployment has caught up with the spec.
func (r *Reconciler) checkRollout(
	_ context.Context,
	f *wardlev1beta1.Flunder,
	seen *observed,
) (*verdict, error) {
	want, status := ptr.Deref(f.Spec.Replicas, 1), seen.deployment.Status
	if status.ObservedGeneration < seen.deployment.Generation || status.Replicas != want ||
		status.UpdatedReplicas != want || status.AvailableReplicas != want {
		return waiting(
			wardlev1beta1.ReasonRollingOut,
			fmt.Sprintf("%d of %d replicas are available", status.AvailableReplicas, want),
		), nil
	}
	return nil, nil
}

func available(f *wardlev1beta1.Flunder) *verdict {
	return &verdict{
		ready: metav1.ConditionTrue, progressing: metav1.ConditionFalse, reason: wardlev1beta1.ReasonAvailable,
		message: fmt.Sprintf("all %d replicas are available", ptr.Deref(f.Spec.Replicas, 1)),
	}
}
