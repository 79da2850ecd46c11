// SPDX-License-Identifier: Apache-2.0

package manifests_test

import (
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/google/go-cmp/cmp"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
)

// reviewAccount asks the server, as the manager's service account, what that may do: what the role says
// and what everybody may, in a namespace like any other and in its own.
func reviewAccount(t *testing.T, plane *controlplane.ControlPlane) {
	config, err := plane.ServiceAccountConfig(t.Context(), system, "flunder-controller")
	if err != nil {
		t.Fatal(err)
	}
	client := kubernetes.NewForConfigOrDie(config)
	want := []string{
		"apps/deployments: create list patch watch",
		"events.k8s.io/events: create get patch",
		"wardle.example.com/flunders/finalizers: update",
		"wardle.example.com/flunders/status: patch",
		"wardle.example.com/flunders: list watch",
	}
	inSystem := append([]string{"coordination.k8s.io/leases sample-controller: get list update watch", "coordination.k8s.io/leases: create"}, want...)
	slices.Sort(inSystem)
	for namespace, want := range map[string][]string{"default": want, system: inSystem} {
		if diff := cmp.Diff(want, rules(t, client, namespace)); diff != "" {
			t.Errorf("in %s: %s", namespace, diff)
		}
	}
	for _, c := range []struct {
		verb, group, resource, subresource string
		want                               bool
	}{
		{"update", "coordination.k8s.io", "leases", "", false}, // it is another's: the namespace is default
		{"patch", "apps", "deployments", "", true},
		{"list", "wardle.example.com", "flunders", "", true},
		{"patch", "wardle.example.com", "flunders", "status", true},
		{"delete", "apps", "deployments", "", false},
		{"update", "apps", "deployments", "", false},
		{"patch", "wardle.example.com", "flunders", "", false},
		{"delete", "wardle.example.com", "flunders", "", false},
		{"get", "", "secrets", "", false},
		{"list", "", "secrets", "", false},
		{"create", "", "pods", "", false},
		{"create", "", "serviceaccounts", "token", false},
		{"escalate", "rbac.authorization.k8s.io", "clusterroles", "", false},
	} {
		attributes := &authorizationv1.ResourceAttributes{Verb: c.verb, Group: c.group, Resource: c.resource, Subresource: c.subresource, Namespace: "default"}
		if got := allowed(t, client, attributes); got != c.want {
			t.Errorf("may it %s %s/%s %s? %v", c.verb, c.group, c.resource, c.subresource, got)
		}
	}
}

// rules lists what the client's user may do in a namespace, as "group/resource: verbs", besides asking
// about itself.
func rules(t *testing.T, client kubernetes.Interface, namespace string) []string {
	t.Helper()
	review, err := client.AuthorizationV1().SelfSubjectRulesReviews().Create(t.Context(),
		&authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}, metav1.CreateOptions{})
	if err != nil || review.Status.Incomplete {
		t.Fatalf("the review is incomplete, or %v", err)
	}
	var lines []string
	for _, rule := range review.Status.ResourceRules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				if !strings.HasPrefix(resource, "selfsubject") {
					for _, name := range rule.ResourceNames {
						resource += " " + name
					}
					lines = append(lines, group+"/"+resource+": "+strings.Join(slices.Sorted(slices.Values(rule.Verbs)), " "))
				}
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func allowed(t *testing.T, client kubernetes.Interface, attributes *authorizationv1.ResourceAttributes) bool {
	t.Helper()
	review, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(),
		&authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: attributes}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return review.Status.Allowed
}
