// SPDX-License-Identifier: Apache-2.0

package manifests_test

import (
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestTheFenceIsForTheControllersAccount(t *testing.T) {
	objects := build(t, "testdata/fence/inner")
	checkFence(t, objects)
	account := only[corev1.ServiceAccount](t, objects, "ServiceAccount")
	lease := only[coordinationv1.Lease](t, objects, "Lease")
	if account.Namespace != lease.Namespace {
		t.Errorf("the account is in %s and the lease in %s", account.Namespace, lease.Namespace)
	}
	for _, p := range all[admissionregistrationv1.ValidatingAdmissionPolicy](t, objects, "ValidatingAdmissionPolicy") {
		var expressions []string
		for _, c := range p.Spec.MatchConditions {
			expressions = append(expressions, c.Expression)
		}
		for _, v := range p.Spec.Variables {
			expressions = append(expressions, v.Expression)
		}
		want := "request.userInfo.username == 'system:serviceaccount:' + params.metadata.namespace + ':" + account.Name + "'"
		if !strings.Contains(strings.Join(expressions, "\n"), want) {
			t.Errorf("the policy %s does not have %s", p.Name, want)
		}
	}
}

func TestTheFenceFollowsAnOverlaysNamespaceAndPrefix(t *testing.T) {
	objects := build(t, "testdata/fence/outer")
	checkFence(t, objects)
	lease := only[coordinationv1.Lease](t, objects, "Lease")
	if lease.Namespace != "elsewhere" || lease.Name != "team-sample-controller" {
		t.Errorf("the lease is %s/%s", lease.Namespace, lease.Name)
	}
}

// checkFence checks that everything that is referred to is there, and that the policies fail closed.
func checkFence(t *testing.T, objects []*unstructured.Unstructured) {
	t.Helper()
	lease := only[coordinationv1.Lease](t, objects, "Lease")
	policies := map[string]bool{}
	for _, p := range all[admissionregistrationv1.ValidatingAdmissionPolicy](t, objects, "ValidatingAdmissionPolicy") {
		policies[p.Name] = true
		if *p.Spec.FailurePolicy != admissionregistrationv1.Fail {
			t.Errorf("the policy %s is not one to fail closed", p.Name)
		}
	}
	bindings := all[admissionregistrationv1.ValidatingAdmissionPolicyBinding](t, objects, "ValidatingAdmissionPolicyBinding")
	if len(policies) != 2 || len(bindings) != 3 {
		t.Fatalf("there are %d policies and %d bindings", len(policies), len(bindings))
	}
	for _, b := range bindings {
		if !policies[b.Spec.PolicyName] {
			t.Errorf("the binding %s is of the policy %s, which is not there", b.Name, b.Spec.PolicyName)
		}
		if b.Spec.ParamRef.Namespace != lease.Namespace || b.Spec.ParamRef.Name != lease.Name {
			t.Errorf("the binding %s goes by %s/%s, not by the lease", b.Name, b.Spec.ParamRef.Namespace, b.Spec.ParamRef.Name)
		}
	}
}
