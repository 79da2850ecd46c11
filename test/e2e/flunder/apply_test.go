// SPDX-License-Identifier: Apache-2.0

package flunder_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller/apply"
)

const manager = "apply-test"

// TestWhatWasAppliedDoesNotDifferAndEachWriteChangesSomething compares with what the API server makes of an
// apply: its defaults, its spelling, and its managed fields.
func TestWhatWasAppliedDoesNotDifferAndEachWriteChangesSomething(t *testing.T) {
	e := newEnv(t)
	labels := map[string]string{"app": "web"}
	container := func() *coreac.ContainerApplyConfiguration {
		return coreac.Container().WithName("web").WithImage("web:1").WithStdin(false).
			WithPorts(coreac.ContainerPort().WithContainerPort(80)).
			WithEnv(coreac.EnvVar().WithName("A").WithValue("x"), coreac.EnvVar().WithName("POD").
				WithValueFrom(coreac.EnvVarSource().WithFieldRef(coreac.ObjectFieldSelector().WithFieldPath("metadata.name")))).
			WithResources(coreac.ResourceRequirements().WithRequests(corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("0.5"), corev1.ResourceMemory: resource.MustParse("1024Mi"),
			})).
			WithReadinessProbe(coreac.Probe().WithHTTPGet(coreac.HTTPGetAction().WithPath("/ready").WithPort(intstr.FromInt32(80))))
	}
	deployment := func(c *coreac.ContainerApplyConfiguration) *appsac.DeploymentApplyConfiguration {
		return appsac.Deployment("web", e.namespace).WithLabels(labels).WithFinalizers("example.com/x").WithSpec(appsac.DeploymentSpec().
			WithReplicas(0).WithSelector(metaac.LabelSelector().WithMatchLabels(labels)).
			WithTemplate(coreac.PodTemplateSpec().WithLabels(labels).WithSpec(coreac.PodSpec().WithContainers(c))))
	}
	client := e.kube.AppsV1().Deployments(e.namespace)
	var live *appsv1.Deployment
	for _, c := range []struct {
		what    string
		desired *appsac.DeploymentApplyConfiguration
		writes  bool
	}{
		{"the first time", deployment(container()), true},
		{"again", deployment(container()), false},
		{"a field more", deployment(container().WithCommand("run")), true},
		{"again with the field", deployment(container().WithCommand("run")), false},
		{"a field less", deployment(container()), true},
		{"again without the field", deployment(container()), false},
		{"another quantity", deployment(container().WithResources(coreac.ResourceRequirements().WithRequests(corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}))), true},
	} {
		after, err := apply.IfDifferent(t.Context(), live, c.desired, client.Apply, metav1.ApplyOptions{FieldManager: manager})
		if err != nil {
			t.Fatal(err)
		}
		if wrote := after != live; wrote != c.writes {
			t.Errorf("%s: it wrote: %v", c.what, wrote)
		} else if wrote && live != nil && after.ResourceVersion == live.ResourceVersion {
			t.Errorf("%s: the apply changed nothing", c.what)
		}
		live = after
	}
	live.ManagedFields = nil // as caches drop them: what is not applied any more is not seen then
	if differs, err := apply.Differs(live, deployment(coreac.Container().WithName("web").WithImage("web:1")), manager); differs || err != nil {
		t.Errorf("without managed fields: %v, %v", differs, err)
	}
}
