// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/component-helpers/auth/rbac/validation"
)

// everybody returns what the ClusterRoles system:basic-user and system:discovery allow every user who is
// authenticated. Kubernetes binds both; a test compares them with those of an API server.
func everybody() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		{
			Verbs: []string{"create"}, APIGroups: []string{"authorization.k8s.io"},
			Resources: []string{"selfsubjectaccessreviews", "selfsubjectrulesreviews"},
		},
		{
			Verbs: []string{"create"}, APIGroups: []string{"authentication.k8s.io"},
			Resources: []string{"selfsubjectreviews"},
		},
		{
			Verbs: []string{"get"},
			NonResourceURLs: []string{
				"/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*",
				"/readyz", "/version", "/version/",
			},
		},
	}
}

// covered reports whether rules that hold where a use is allow it, by the rules of the API server.
func covered(rules []rbacv1.PolicyRule, use Use) bool {
	all, _ := validation.Covers(rules, []rbacv1.PolicyRule{use.rule()})
	return all
}
