// SPDX-License-Identifier: Apache-2.0

package manifests_test

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/google/go-cmp/cmp"
)

func TestTheManagerRunsAsTheAccountThatTheRoleIsBoundTo(t *testing.T) {
	for _, dir := range []string{config + "/manager", config + "/default"} {
		checkNamesLineUp(t, build(t, dir))
	}
}

func checkNamesLineUp(t *testing.T, objects []*unstructured.Unstructured) {
	t.Helper()
	namespace := only[corev1.Namespace](t, objects, "Namespace")
	account := only[corev1.ServiceAccount](t, objects, "ServiceAccount")
	binding := only[rbacv1.ClusterRoleBinding](t, objects, "ClusterRoleBinding")
	deployment := only[appsv1.Deployment](t, objects, "Deployment")

	if account.Namespace != namespace.Name || deployment.Namespace != namespace.Name {
		t.Errorf("the account is in %s and the Deployment in %s, want both in %s",
			account.Namespace, deployment.Namespace, namespace.Name)
	}
	if got := deployment.Spec.Template.Spec.ServiceAccountName; got != account.Name {
		t.Errorf("the Deployment's pods run as %s, want %s", got, account.Name)
	}
	subjects := []rbacv1.Subject{{Kind: "ServiceAccount", Name: account.Name, Namespace: account.Namespace}}
	if diff := cmp.Diff(subjects, binding.Subjects); diff != "" {
		t.Error("the binding's subjects:", diff)
	}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "flunder-controller"}
	if diff := cmp.Diff(ref, binding.RoleRef); diff != "" {
		t.Error("the binding's role:", diff)
	}
	role(t, objects, ref.Name)
	forLease := only[rbacv1.RoleBinding](t, objects, "RoleBinding")
	if diff := cmp.Diff(subjects, forLease.Subjects); diff != "" {
		t.Error("the subjects of the binding for the lease:", diff)
	}
	if name := only[rbacv1.Role](t, objects, "Role").Name; forLease.RoleRef.Kind != "Role" || forLease.RoleRef.Name != name {
		t.Errorf("the binding for the lease is of %s %s, not of the role %s", forLease.RoleRef.Kind, forLease.RoleRef.Name, name)
	}
}

func role(t *testing.T, objects []*unstructured.Unstructured, name string) *rbacv1.ClusterRole {
	t.Helper()
	roles := all[rbacv1.ClusterRole](t, objects, "ClusterRole")
	i := slices.IndexFunc(roles, func(r *rbacv1.ClusterRole) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("there is no ClusterRole %s", name)
	}
	return roles[i]
}

// permissions are the lines "group/resource: verbs" of a role's rules.
func permissions(rules []rbacv1.PolicyRule) []string {
	var lines []string
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				verbs := slices.Sorted(slices.Values(rule.Verbs))
				for _, name := range rule.ResourceNames {
					resource += " " + name
				}
				lines = append(lines, group+"/"+resource+": "+strings.Join(verbs, " "))
			}
		}
	}
	return lines
}

func TestTheControllerMayDoWhatItDoesAndNoMore(t *testing.T) {
	objects := build(t, config+"/rbac")
	want := []string{
		"wardle.example.com/flunders: list watch",
		"wardle.example.com/flunders/status: patch",
		"wardle.example.com/flunders/finalizers: update",
		"apps/deployments: create list patch watch",
		"events.k8s.io/events: create get patch",
	}
	if diff := cmp.Diff(want, permissions(role(t, objects, "flunder-controller").Rules)); diff != "" {
		t.Error("the permissions have changed; if that is meant, change this list:", diff)
	}
	want = []string{
		"coordination.k8s.io/leases sample-controller: get list update watch",
		"coordination.k8s.io/leases: create",
	}
	if diff := cmp.Diff(want, permissions(only[rbacv1.Role](t, objects, "Role").Rules)); diff != "" {
		t.Error("the permissions for the election have changed; if that is meant, change this list:", diff)
	}
}

// The Deployment elects by the Lease that the role names and, in config/default, the fence goes by.
func TestTheManagerElectsByTheLeaseOfTheRoleAndOfTheFence(t *testing.T) {
	checkLease(t, build(t, config+"/default"))
}

func checkLease(t *testing.T, objects []*unstructured.Unstructured) {
	t.Helper()
	lease := only[coordinationv1.Lease](t, objects, "Lease")
	role := only[rbacv1.Role](t, objects, "Role")
	if role.Namespace != lease.Namespace || !slices.Equal(role.Rules[0].ResourceNames, []string{lease.Name}) {
		t.Errorf("the role in %s is for %v, the lease is %s/%s", role.Namespace, role.Rules[0].ResourceNames, lease.Namespace, lease.Name)
	}
	pod := manager(t, objects).Spec.Template.Spec.Containers[0]
	if !slices.Contains(pod.Args, "--leader-elect") || strings.Contains(strings.Join(pod.Args, " "), "--leader-elect-") {
		t.Errorf("the arguments are %v, want --leader-elect with its defaults", pod.Args)
	}
	if lease.Name != "sample-controller" {
		t.Errorf("the lease is called %s, which is not the default of the manager's flag", lease.Name)
	}
	want := map[string]string{"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace", "POD_UID": "metadata.uid"}
	got := map[string]string{}
	for _, v := range pod.Env {
		if v.Name == "CONTAINER_NAME" && v.Value != pod.Name {
			t.Errorf("the container is called %s and takes itself for %s", pod.Name, v.Value)
		}
		if v.ValueFrom != nil && v.ValueFrom.FieldRef != nil {
			got[v.Name] = v.ValueFrom.FieldRef.FieldPath
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("the pod does not know who and where it is:", diff)
	}
}

func TestViewersChangeNothing(t *testing.T) {
	viewer := role(t, build(t, config+"/rbac"), "flunder-viewer")
	for _, rule := range viewer.Rules {
		for _, verb := range rule.Verbs {
			if !slices.Contains([]string{"get", "list", "watch"}, verb) {
				t.Errorf("a viewer may %s %v", verb, rule.Resources)
			}
		}
	}
}
