// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/rbac"
)

func TestAProgramThatListsInItsNamespacesOnlyGetsNoClusterRole(t *testing.T) {
	used := rbac.Used{
		use("list", "", "configmaps", "n"), use("patch", "", "secrets", "n", "of-an-object"),
		use("list", "", "configmaps", "m"), fixed(use("get", "", "secrets", "sys", "settings")),
	}
	roles := used.Roles(rbac.RoleOptions{Name: "r", ServiceAccount: types.NamespacedName{Namespace: "sys", Name: "sa"}})
	if len(roles.ClusterRoles)+len(roles.ClusterRoleBindings) != 0 || len(roles.RoleBindings) != 3 {
		t.Errorf("the roles are %+v", roles)
	}
	got := map[string]int{}
	for _, role := range roles.Roles {
		got[role.Namespace] = len(role.Rules)
	}
	if diff := cmp.Diff(map[string]int{"m": 1, "n": 2, "sys": 1}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheRolesOfUsesGrantExactlyThese(t *testing.T) {
	used := rbac.Used{
		use("list", "", "configmaps"), use("watch", "", "configmaps"),
		use("patch", "apps", "deployments", "n", "a"), use("create", "apps", "deployments", "n", "a"),
		use("get", "apps", "deployments/scale", "m", "b"), fixed(use("get", "", "secrets", "sys", "one")),
		fixed(use("get", "", "secrets", "sys", "two")), fixed(use("update", "", "secrets", "sys", "two")),
		fixed(use("create", "", "secrets", "sys")), fixed(use("list", "", "configmaps", "sys", "x")),
		url("/metrics"), url("/logs"), url("/version"), use("get", "", "nodes", "", "n1"),
	}
	roles := used.Roles(rbac.RoleOptions{Name: "r", ServiceAccount: types.NamespacedName{Namespace: "sys", Name: "sa"}})
	manifests := &rbac.Manifests{}
	if err := manifests.Add("the roles", roles.Objects()...); err != nil {
		t.Fatal(err)
	}
	granted, err := manifests.Granted(types.NamespacedName{})
	if err != nil {
		t.Fatal(err)
	}
	differences, err := rbac.Compare(used, granted)
	if err != nil || !differences.Empty() {
		content, _ := roles.YAML()
		t.Errorf("%v\n%s\n%s", err, differences, content)
	}
}

func TestWhatEverybodyMayIsInNoRole(t *testing.T) {
	used := rbac.Used{url("/version"), url("/apis/apps/v1"), use("create", "authentication.k8s.io", "selfsubjectreviews")}
	if objects := used.Roles(rbac.RoleOptions{Name: "r"}).Objects(); len(objects) != 0 {
		t.Errorf("the roles are %v", objects)
	}
}

func TestANameThatIsUsedTwiceIsInARoleOnce(t *testing.T) {
	used := rbac.Used{fixed(use("get", "", "secrets", "n", "one")), fixed(use("get", "", "secrets", "m", "one")), use("list", "", "pods")}
	roles := used.Roles(rbac.RoleOptions{Name: "r", ServiceAccount: types.NamespacedName{Namespace: "sys", Name: "sa"}})
	var rules []rbacv1.PolicyRule
	for _, role := range roles.ClusterRoles {
		rules = append(rules, role.Rules...)
	}
	for _, role := range roles.Roles {
		rules = append(rules, role.Rules...)
	}
	for _, rule := range rules {
		if len(rule.ResourceNames) > 1 {
			t.Errorf("a rule is for %v", rule.ResourceNames)
		}
	}
	if len(rules) < 2 {
		t.Errorf("the rules are %+v", rules)
	}
}
