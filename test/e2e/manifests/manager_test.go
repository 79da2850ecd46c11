// SPDX-License-Identifier: Apache-2.0

package manifests_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	psa "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func manager(t *testing.T, objects []*unstructured.Unstructured) *appsv1.Deployment {
	t.Helper()
	return only[appsv1.Deployment](t, objects, "Deployment")
}

// restricted evaluates the pods of a Deployment as the server's admission would.
func restricted(t *testing.T, deployment *appsv1.Deployment) policy.AggregateCheckResult {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := psa.LevelVersion{Level: psa.LevelRestricted, Version: psa.LatestVersion()}
	template := &deployment.Spec.Template
	return policy.AggregateCheckResults(evaluator.EvaluatePod(level, &template.ObjectMeta, &template.Spec))
}

func TestTheManagersPodMeetsPodSecurityRestricted(t *testing.T) {
	deployment := manager(t, build(t, config+"/manager"))
	if result := restricted(t, deployment); !result.Allowed {
		t.Error(result.ForbiddenDetail())
	}

	// The evaluation is worth something only if it refuses a pod that is not fit.
	deployment.Spec.Template.Spec.SecurityContext.RunAsNonRoot = nil
	if restricted(t, deployment).Allowed {
		t.Error("a pod that may run as root was allowed")
	}
}

func TestTheNamespaceEnforcesPodSecurityRestricted(t *testing.T) {
	namespace := only[corev1.Namespace](t, build(t, config+"/manager"), "Namespace")
	for _, label := range []string{psa.EnforceLevelLabel, psa.WarnLevelLabel} {
		if got := namespace.Labels[label]; got != string(psa.LevelRestricted) {
			t.Errorf("%s is %q, want restricted", label, got)
		}
	}
}

func TestTheManagersRootFilesystemIsReadOnly(t *testing.T) { // which restricted does not ask for
	for _, c := range manager(t, build(t, config+"/manager")).Spec.Template.Spec.Containers {
		if s := c.SecurityContext; s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
			t.Errorf("container %s can write to its root filesystem", c.Name)
		}
	}
}

func TestTheManagerIsProbedWhereItServesHealth(t *testing.T) {
	c := manager(t, build(t, config+"/manager")).Spec.Template.Spec.Containers[0]
	probes := map[string]*corev1.Probe{"/healthz": c.LivenessProbe, "/readyz": c.ReadinessProbe}
	for path, probe := range probes {
		if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != path || probe.HTTPGet.Port.StrVal != "health" {
			t.Errorf("no probe of %s at the port health: %v", path, probe)
		}
	}
	if len(c.Ports) != 1 || c.Ports[0].Name != "health" || c.Ports[0].ContainerPort != 8081 {
		t.Errorf("the ports are %v, want health at 8081", c.Ports)
	}
	if c.Args[0] != "--health-addr=:8081" {
		t.Errorf("the first argument is %s, want the address of that port", c.Args[0])
	}
}

func TestTheManagerAsksForResourcesAndIsLimited(t *testing.T) {
	r := manager(t, build(t, config+"/manager")).Spec.Template.Spec.Containers[0].Resources
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		request, limit := r.Requests[name], r.Limits[name]
		if request.IsZero() || limit.Cmp(request) < 0 {
			t.Errorf("%s: request %s, limit %s", name, &request, &limit)
		}
	}
}

// One leads and the other is warm; a roll-out has a warm one at any time.
func TestTheManagerHasAStandByAlsoDuringARollOut(t *testing.T) {
	spec := manager(t, build(t, config+"/manager")).Spec
	if *spec.Replicas != 2 {
		t.Errorf("there are %d replicas, want 2", *spec.Replicas)
	}
	s := spec.Strategy
	if s.Type != appsv1.RollingUpdateDeploymentStrategyType || s.RollingUpdate.MaxUnavailable.IntValue() != 0 || s.RollingUpdate.MaxSurge.IntValue() != 1 {
		t.Errorf("the strategy is %v, want a new pod before an old one goes", s)
	}
}
