// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// Granted is what manifests grant to a service account.
type Granted struct{ grants []grant }

// grant is a rule that holds in a namespace, or cluster-wide.
type grant struct {
	Source
	rule      rbacv1.PolicyRule
	namespace string // empty: cluster-wide
}

// covers reports whether the API server would allow a use because of the grant.
func (g grant) covers(use Use) bool {
	return (g.namespace == "" || use.Path == "" && g.namespace == use.Namespace) &&
		covered([]rbacv1.PolicyRule{g.rule}, use)
}

// Granted returns what the manifests grant to a service account, by itself or by its groups. The empty
// name stands for the only service account that the bindings name.
//
// A ClusterRole with an aggregationRule has the rules of all ClusterRoles of the manifests that it
// selects; a cluster may have more of these.
func (m *Manifests) Granted(account types.NamespacedName) (*Granted, error) {
	if account.Name == "" {
		var err error
		if account, err = m.onlyAccount(); err != nil {
			return nil, fmt.Errorf("find what is granted: %w", err)
		}
	}
	g := &Granted{}
	for _, b := range m.clusterBindings {
		if bound(b.object.Subjects, "", account) {
			if err := m.addRules(g, b.object.RoleRef, "", "ClusterRoleBinding "+b.object.Name+" in "+b.file); err != nil {
				return nil, err
			}
		}
	}
	for _, b := range m.bindings {
		if bound(b.object.Subjects, b.object.Namespace, account) {
			what := "RoleBinding " + b.object.Namespace + "/" + b.object.Name + " in " + b.file
			if err := m.addRules(g, b.object.RoleRef, b.object.Namespace, what); err != nil {
				return nil, err
			}
		}
	}
	if len(g.grants) == 0 {
		return nil, fmt.Errorf("find what is granted: no binding gives the service account %s a rule", account)
	}
	return g, nil
}

// onlyAccount returns the one service account that the bindings name.
func (m *Manifests) onlyAccount() (types.NamespacedName, error) {
	accounts := map[types.NamespacedName]bool{}
	add := func(namespace string, subjects []rbacv1.Subject) {
		for _, s := range subjects {
			if s.Kind == rbacv1.ServiceAccountKind {
				accounts[types.NamespacedName{Namespace: namespaceOf(s, namespace), Name: s.Name}] = true
			}
		}
	}
	for _, b := range m.clusterBindings {
		add("", b.object.Subjects)
	}
	for _, b := range m.bindings {
		add(b.object.Namespace, b.object.Subjects)
	}
	var names []string
	for account := range accounts {
		if len(accounts) == 1 {
			return account, nil
		}
		names = append(names, account.String())
	}
	slices.Sort(names)
	return types.NamespacedName{}, fmt.Errorf(
		"the bindings name %d service accounts (%s): say whose permissions are meant",
		len(accounts), strings.Join(names, ", "))
}

// bound reports whether subjects of a binding in a namespace include a service account.
func bound(subjects []rbacv1.Subject, namespace string, account types.NamespacedName) bool {
	return slices.ContainsFunc(subjects, func(s rbacv1.Subject) bool {
		switch s.Kind {
		case rbacv1.ServiceAccountKind:
			return s.Name == account.Name && namespaceOf(s, namespace) == account.Namespace
		case rbacv1.UserKind:
			return s.Name == serviceAccountPrefix+account.Namespace+":"+account.Name
		case rbacv1.GroupKind:
			return slices.Contains([]string{
				"system:authenticated", "system:serviceaccounts", "system:serviceaccounts:" + account.Namespace,
			}, s.Name)
		}
		return false
	})
}

func namespaceOf(s rbacv1.Subject, binding string) string {
	if s.Namespace != "" {
		return s.Namespace
	}
	return binding
}

// addRules adds the rules of a role that a binding refers to.
func (m *Manifests) addRules(to *Granted, ref rbacv1.RoleRef, namespace, binding string) error {
	switch ref.Kind {
	case "Role":
		if role := find(m.roles, namespace, ref.Name); role != nil && namespace != "" {
			source := Source{File: role.file, Kind: "Role", Namespace: namespace, Name: ref.Name}
			to.add(role.object.Rules, namespace, source)
			return nil
		}
	case "ClusterRole":
		if role := find(m.clusterRoles, "", ref.Name); role != nil {
			return m.addClusterRole(to, role, namespace, map[string]bool{})
		}
	}
	return fmt.Errorf("find what is granted: the %s refers to the %s %s, which is not in the manifests: "+
		"load the file that has it as well", binding, ref.Kind, ref.Name)
}

// addClusterRole adds the rules of a ClusterRole, or of those that it aggregates. Roles that are in seen
// were added before.
func (m *Manifests) addClusterRole(
	to *Granted, role *manifest[*rbacv1.ClusterRole], namespace string, seen map[string]bool,
) error {
	if seen[role.object.Name] {
		return nil
	}
	seen[role.object.Name] = true
	if role.object.AggregationRule == nil {
		source := Source{File: role.file, Kind: "ClusterRole", Name: role.object.Name}
		to.add(role.object.Rules, namespace, source)
		return nil
	}
	for i := range role.object.AggregationRule.ClusterRoleSelectors {
		selector, err := metav1.LabelSelectorAsSelector(&role.object.AggregationRule.ClusterRoleSelectors[i])
		if err != nil {
			return fmt.Errorf("find what is granted: the aggregationRule of the ClusterRole %s in %s: %w",
				role.object.Name, role.file, err)
		}
		for i := range m.clusterRoles {
			other := &m.clusterRoles[i]
			if !selector.Matches(labels.Set(other.object.Labels)) {
				continue
			}
			if err := m.addClusterRole(to, other, namespace, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *Granted) add(rules []rbacv1.PolicyRule, namespace string, source Source) {
	for i, rule := range rules {
		source.Rule = i + 1
		g.grants = append(g.grants, grant{Source: source, rule: rule, namespace: namespace})
	}
}
