// SPDX-License-Identifier: Apache-2.0

package manifests_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

func TestThePodwatchComponentLetsTheControllerReadThePodsOfItsNamespaceAndNoMore(t *testing.T) {
	objects := build(t, "testdata/podwatch")
	account := only[corev1.ServiceAccount](t, objects, "ServiceAccount")
	var granted []string
	for _, role := range all[rbacv1.Role](t, objects, "Role") {
		if strings.HasSuffix(role.Name, "-podwatch") {
			granted = append(granted, role.Namespace+"/"+role.Name)
			granted = append(granted, permissions(role.Rules)...)
		}
	}
	if diff := cmp.Diff([]string{"elsewhere/team-flunder-controller-podwatch", "/pods: get list watch"}, granted); diff != "" {
		t.Error(diff)
	}
	for _, binding := range all[rbacv1.RoleBinding](t, objects, "RoleBinding") {
		want := []rbacv1.Subject{{Kind: "ServiceAccount", Name: account.Name, Namespace: account.Namespace}}
		if diff := cmp.Diff(want, binding.Subjects); diff != "" {
			t.Errorf("%s: %s", binding.Name, diff)
		}
	}
}
