// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Any is, in a [Use], every namespace or every name.
const Any = "*"

// Use is something that a program does with the API server, in the terms of the server's RBAC
// authorizer: server-side apply is patch.
type Use struct {
	Verb string `json:"verb"`
	// Group is empty for the core group.
	Group string `json:"group,omitempty"`
	// Resource has the subresource: deployments/status. Empty for a request that is not about a
	// resource.
	Resource string `json:"resource,omitempty"`
	// Path is that of a request that is not about a resource, such as /metrics. Otherwise empty.
	Path string `json:"path,omitempty"`
	// Namespace is empty for cluster-scoped resources and for requests across all namespaces. [Any]
	// is many namespaces.
	Namespace string `json:"namespace,omitempty"`
	// Name is the object's, as far as the authorizer knows it: a list or watch has it if its field
	// selector is metadata.name=NAME. [Any] is many names.
	Name string `json:"name,omitempty"`

	// FixedNamespace reports that the namespace is the program's own choice, and is not that of the
	// object that is reconciled. FixedName reports the same of the name.
	FixedNamespace bool `json:"fixedNamespace,omitempty"`
	FixedName      bool `json:"fixedName,omitempty"`
	// Refused reports that the API server's authorizer has refused it at least once.
	Refused bool `json:"refused,omitempty"`
	// By is what did it first, such as "controller flunder". Empty for a call outside a manager's
	// work.
	By string `json:"by,omitempty"`
	// Stated reports that the use was not recorded but stated with [Used.Also], for this Reason.
	Stated bool   `json:"stated,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// String returns the use in one line, without who did it.
func (u Use) String() string {
	text := u.what()
	switch {
	case u.Namespace == Any:
		text += " in many namespaces"
	case u.Namespace != "":
		text += " in " + u.Namespace
	}
	switch {
	case u.Name == Any:
		text += " (many names)"
	case u.Name != "":
		text += " (" + u.Name + ")"
	}
	return text
}

// what returns the verb and its target.
func (u Use) what() string {
	if u.Path != "" {
		return u.Verb + " " + u.Path
	}
	return u.Verb + " " + target(u.Group, u.Resource)
}

// target writes a resource as a person does: deployments.apps/status.
func target(group, resource string) string {
	if group == "" {
		return resource
	}
	resource, subresource, _ := strings.Cut(resource, "/")
	if subresource != "" {
		subresource = "/" + subresource
	}
	return resource + "." + group + subresource
}

// rule returns the smallest rule that allows the use, in its namespace.
func (u Use) rule() rbacv1.PolicyRule {
	rule := rbacv1.PolicyRule{Verbs: []string{u.Verb}}
	if u.Path != "" {
		rule.NonResourceURLs = []string{u.Path}
		return rule
	}
	rule.APIGroups = []string{u.Group}
	rule.Resources = []string{u.Resource}
	if u.Name != "" && u.Name != Any {
		rule.ResourceNames = []string{u.Name}
	}
	return rule
}

// onlyName reports whether a use needs a permission for its name only.
func (u Use) onlyName() bool {
	return (u.FixedName || u.Stated) && u.Name != "" && u.Name != Any
}

// onlyNamespace reports whether a use needs a permission in its namespace only.
func (u Use) onlyNamespace() bool {
	return (u.FixedNamespace || u.Stated) && u.Namespace != "" && u.Namespace != Any
}

// wild reports whether a use was stated for all verbs, groups, resources or paths.
func (u Use) wild() bool {
	return strings.Contains(u.Verb+u.Group+u.Resource+u.Path, rbacv1.VerbAll)
}

// permission is what uses have in common that differ in the object only.
type permission struct{ verb, group, resource, path string }

func (u Use) permission() permission { return permission{u.Verb, u.Group, u.Resource, u.Path} }

// Used is what a program did use, sorted, each use once. It is read and written as JSON.
type Used []Use

// Also returns u with uses that cannot be recorded, for a reason that a person reads. Nothing is added
// to u. Without a reason, [Compare] fails. In the namespace "" or [Any], a use is cluster-wide.
//
//	used = used.Also("only asked where OwnerReferencesPermissionEnforcement is on", rbac.Use{
//		Verb: "update", Group: "apps", Resource: "deployments/finalizers", Namespace: rbac.Any, Name: rbac.Any,
//	})
func (u Used) Also(reason string, uses ...Use) Used {
	stated := make(Used, 0, len(uses))
	for _, use := range uses {
		use.Stated = true
		use.Reason = reason
		stated = append(stated, use)
	}
	return Merge(u, stated)
}

// check returns an error if something is stated in a way that says nothing.
func (u Used) check() error {
	for _, use := range u {
		switch {
		case use.Stated && use.Reason == "":
			return fmt.Errorf("%v is stated without a reason: say to Also why no test uses it", use)
		case use.Verb == "" || (use.Resource == "") == (use.Path == ""):
			return fmt.Errorf("a use has the verb %q, the resource %q and the path %q: "+
				"it needs a verb, and either a resource or a path", use.Verb, use.Resource, use.Path)
		}
	}
	return nil
}

// Merge returns what several recordings have, such as those of several tests or replicas.
func Merge(recordings ...Used) Used {
	type key struct {
		permission
		namespace, name string
	}
	merged := map[key]Use{}
	for _, recording := range recordings {
		for _, use := range recording {
			k := key{use.permission(), use.Namespace, use.Name}
			if other, ok := merged[k]; ok {
				use = both(other, use)
			}
			merged[k] = use
		}
	}
	all := make(Used, 0, len(merged))
	for _, use := range merged {
		all = append(all, use)
	}
	slices.SortFunc(all, compareUses)
	return all
}

// both joins what two recordings say of the same use. A use that was recorded needs no statement.
func both(a, b Use) Use {
	a.FixedNamespace = a.FixedNamespace || b.FixedNamespace
	a.FixedName = a.FixedName || b.FixedName
	a.Refused = a.Refused || b.Refused
	a.By = cmp.Or(a.By, b.By)
	a.Reason = cmp.Or(a.Reason, b.Reason)
	if a.Stated = a.Stated && b.Stated; !a.Stated {
		a.Reason = ""
	}
	return a
}

func compareUses(a, b Use) int {
	return cmp.Or(
		cmp.Compare(a.Path, b.Path),
		cmp.Compare(a.Group, b.Group), cmp.Compare(a.Resource, b.Resource),
		cmp.Compare(a.Verb, b.Verb),
		cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name),
	)
}
