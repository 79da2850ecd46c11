// SPDX-License-Identifier: Apache-2.0

package manifests_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

func TestTheSecureComponentServesMetricsToWhoMayReadThem(t *testing.T) {
	objects := build(t, "testdata/secure")
	deployment := manager(t, objects)
	container := deployment.Spec.Template.Spec.Containers[0]
	for _, want := range []string{"--metrics-addr=:8443", "--metrics-secure", "--tls-cert-dir=/etc/flunder-controller/tls", "--page-addr=127.0.0.1:8082"} {
		if !slices.Contains(container.Args, want) {
			t.Errorf("the arguments %q do not have %s", container.Args, want)
		}
	}
	if volumes := deployment.Spec.Template.Spec.Volumes; len(volumes) != 1 || volumes[0].Secret.SecretName != "flunder-controller-tls" ||
		container.VolumeMounts[0].Name != volumes[0].Name || !container.VolumeMounts[0].ReadOnly {
		t.Errorf("the volumes are %v, mounted as %v", volumes, container.VolumeMounts)
	}
	if result := restricted(t, deployment); !result.Allowed {
		t.Error(result.ForbiddenDetail())
	}
	service := only[corev1.Service](t, objects, "Service")
	pod := labels.Set(deployment.Spec.Template.Labels)
	named := func(port corev1.ContainerPort) bool { return port.Name == service.Spec.Ports[0].TargetPort.StrVal }
	if !labels.SelectorFromSet(service.Spec.Selector).Matches(pod) || !slices.ContainsFunc(container.Ports, named) {
		t.Errorf("the service selects %v and the port %v", service.Spec.Selector, service.Spec.Ports)
	}
	policy := only[networkingv1.NetworkPolicy](t, objects, "NetworkPolicy")
	selector, err := metav1.LabelSelectorAsSelector(&policy.Spec.PodSelector)
	if err != nil || !selector.Matches(pod) || policy.Spec.Ingress[0].Ports[0].Port.StrVal != "metrics" {
		t.Errorf("the policy %+v (%v)", policy.Spec, err)
	}
	bindings := all[rbacv1.ClusterRoleBinding](t, objects, "ClusterRoleBinding")
	delegates := func(b *rbacv1.ClusterRoleBinding) bool {
		return b.RoleRef.Name == "system:auth-delegator" && b.Subjects[0].Name == deployment.Spec.Template.Spec.ServiceAccountName &&
			b.Subjects[0].Namespace == deployment.Namespace
	}
	if !slices.ContainsFunc(bindings, delegates) {
		t.Errorf("the bindings are %v", bindings)
	}
	monitored := false
	for _, o := range objects {
		monitored = monitored || o.GetKind() == "ServiceMonitor" && o.GetNamespace() == deployment.Namespace
	}
	if !monitored {
		t.Error("there is no ServiceMonitor")
	}
}
