// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

// RoleOptions says how roles are called.
type RoleOptions struct {
	// Name is the name of each role and binding. It is required.
	Name string
	// Labels are put on each role and binding. Default: none.
	Labels map[string]string
	// ServiceAccount is whom the roles are bound to. Default: nobody, and there are no bindings.
	ServiceAccount types.NamespacedName
}

// Roles are the roles that a program needs, and their bindings.
type Roles struct {
	ClusterRoles        []*rbacv1.ClusterRole // one, or none
	Roles               []*rbacv1.Role        // one for each namespace that needs one, in order
	ClusterRoleBindings []*rbacv1.ClusterRoleBinding
	RoleBindings        []*rbacv1.RoleBinding
}

// Roles returns the roles that allow what was used, and nothing else. What is used in namespaces that
// the program chooses itself, or in which it lists and watches, becomes a Role there. All else becomes a
// ClusterRole. Names that the program chooses itself become resourceNames. What Kubernetes allows every
// authenticated user, such as discovery, is left out. The result is the same for the same uses.
func (u Used) Roles(options RoleOptions) *Roles {
	cluster, namespaced := u.byScope()
	r := &Roles{}
	rules := rulesOf(cluster)
	if len(rules) > 0 {
		r.addClusterRole(options, rules)
	}
	for _, namespace := range slices.Sorted(maps.Keys(namespaced)) {
		var uses []Use
		for _, use := range namespaced[namespace] {
			if !covered(rules, use) {
				uses = append(uses, use)
			}
		}
		if len(uses) > 0 {
			r.addRole(options, namespace, rulesOf(uses))
		}
	}
	return r
}

// byScope returns what is needed cluster-wide and in each namespace.
func (u Used) byScope() (cluster []Use, namespaced map[string][]Use) {
	namespaced = map[string][]Use{}
	s := scopesOf(u)
	for _, use := range u {
		if covered(everybody(), use) {
			continue
		}
		if namespace := s.of(use); namespace != "" {
			namespaced[namespace] = append(namespaced[namespace], use)
		} else {
			cluster = append(cluster, use)
		}
	}
	return cluster, namespaced
}

func (r *Roles) addClusterRole(o RoleOptions, rules []rbacv1.PolicyRule) {
	role := &rbacv1.ClusterRole{TypeMeta: o.typeMeta("ClusterRole"), ObjectMeta: o.objectMeta(""), Rules: rules}
	r.ClusterRoles = append(r.ClusterRoles, role)
	if o.ServiceAccount.Name == "" {
		return
	}
	r.ClusterRoleBindings = append(r.ClusterRoleBindings, &rbacv1.ClusterRoleBinding{
		TypeMeta: o.typeMeta("ClusterRoleBinding"), ObjectMeta: o.objectMeta(""),
		RoleRef: o.roleRef("ClusterRole"), Subjects: o.subjects(),
	})
}

func (r *Roles) addRole(o RoleOptions, namespace string, rules []rbacv1.PolicyRule) {
	r.Roles = append(r.Roles, &rbacv1.Role{
		TypeMeta: o.typeMeta("Role"), ObjectMeta: o.objectMeta(namespace), Rules: rules,
	})
	if o.ServiceAccount.Name == "" {
		return
	}
	r.RoleBindings = append(r.RoleBindings, &rbacv1.RoleBinding{
		TypeMeta: o.typeMeta("RoleBinding"), ObjectMeta: o.objectMeta(namespace),
		RoleRef: o.roleRef("Role"), Subjects: o.subjects(),
	})
}

func (o RoleOptions) typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: kind}
}

func (o RoleOptions) objectMeta(namespace string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: o.Name, Namespace: namespace, Labels: maps.Clone(o.Labels)}
}

func (o RoleOptions) roleRef(kind string) rbacv1.RoleRef {
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: o.Name}
}

func (o RoleOptions) subjects() []rbacv1.Subject {
	return []rbacv1.Subject{{
		Kind: rbacv1.ServiceAccountKind, Namespace: o.ServiceAccount.Namespace, Name: o.ServiceAccount.Name,
	}}
}

// Objects returns all of it in the order of the fields.
func (r *Roles) Objects() []runtime.Object {
	var objects []runtime.Object
	for _, o := range r.ClusterRoles {
		objects = append(objects, o)
	}
	for _, o := range r.Roles {
		objects = append(objects, o)
	}
	for _, o := range r.ClusterRoleBindings {
		objects = append(objects, o)
	}
	for _, o := range r.RoleBindings {
		objects = append(objects, o)
	}
	return objects
}

// YAML returns the objects as the documents of a manifest, such as config/rbac/role.yaml.
func (r *Roles) YAML() ([]byte, error) {
	var documents bytes.Buffer
	for i, object := range r.Objects() {
		document, err := yaml.Marshal(object)
		if err != nil {
			return nil, fmt.Errorf("write the roles as YAML: %w", err)
		}
		if i > 0 {
			documents.WriteString("---\n")
		}
		documents.Write(document)
	}
	return documents.Bytes(), nil
}
