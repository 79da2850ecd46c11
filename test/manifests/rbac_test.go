package manifests_test

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
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

// permissions are the lines "group/resource: verbs" of a role.
func permissions(role *rbacv1.ClusterRole) []string {
	var lines []string
	for _, rule := range role.Rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				verbs := slices.Sorted(slices.Values(rule.Verbs))
				lines = append(lines, group+"/"+resource+": "+strings.Join(verbs, " "))
			}
		}
	}
	return lines
}

func TestTheControllerMayDoWhatItDoesAndNoMore(t *testing.T) {
	objects := build(t, config+"/rbac")
	want := []string{
		"wardle.example.com/flunders: get list watch",
		"wardle.example.com/flunders/status: patch update",
		"wardle.example.com/flunders/finalizers: update",
		"apps/deployments: create get list patch watch",
		"events.k8s.io/events: create get patch",
	}
	if diff := cmp.Diff(want, permissions(role(t, objects, "flunder-controller"))); diff != "" {
		t.Error("the permissions have changed; if that is meant, change this list:", diff)
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
