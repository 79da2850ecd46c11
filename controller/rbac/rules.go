// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"cmp"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// rulesOf returns the rules that allow uses of one scope, and nothing else, in a stable order.
func rulesOf(uses []Use) []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	for p, names := range namesOf(uses) {
		rule := rbacv1.PolicyRule{Verbs: []string{p.verb}, ResourceNames: names}
		if p.path != "" {
			rule.NonResourceURLs = []string{p.path}
		} else {
			rule.APIGroups = []string{p.group}
			rule.Resources = []string{p.resource}
		}
		rules = append(rules, rule)
	}
	slices.SortFunc(rules, compareRules)
	return joinTargets(joinVerbs(rules))
}

// namesOf returns the names for which each permission is needed; no names are all names.
func namesOf(uses []Use) map[permission][]string {
	names := map[permission][]string{}
	all := map[permission]bool{}
	for _, use := range uses {
		p := use.permission()
		all[p] = all[p] || !use.onlyName()
		names[p] = append(names[p], use.Name)
	}
	for p, of := range names {
		if all[p] {
			names[p] = nil
			continue
		}
		slices.Sort(of)
		names[p] = slices.Compact(of)
	}
	return names
}

// joinVerbs makes one rule of those that differ in their verbs only.
func joinVerbs(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	return join(rules,
		func(r rbacv1.PolicyRule) string {
			return words(r.APIGroups, r.Resources, r.NonResourceURLs, r.ResourceNames)
		},
		func(into *rbacv1.PolicyRule, r rbacv1.PolicyRule) { into.Verbs = append(into.Verbs, r.Verbs...) })
}

// joinTargets makes one rule of those of a group that differ in their resources, or URLs, only.
func joinTargets(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	return join(rules,
		func(r rbacv1.PolicyRule) string { return words(r.APIGroups, r.Verbs, r.ResourceNames) },
		func(into *rbacv1.PolicyRule, r rbacv1.PolicyRule) {
			into.Resources = append(into.Resources, r.Resources...)
			into.NonResourceURLs = append(into.NonResourceURLs, r.NonResourceURLs...)
		})
}

// join makes one rule of all that have a key in common, in the order of the first of each.
func join(
	rules []rbacv1.PolicyRule,
	key func(rbacv1.PolicyRule) string,
	add func(into *rbacv1.PolicyRule, r rbacv1.PolicyRule),
) []rbacv1.PolicyRule {
	var joined []rbacv1.PolicyRule
	at := map[string]int{}
	for _, rule := range rules {
		k := key(rule)
		if i, ok := at[k]; ok {
			add(&joined[i], rule)
			continue
		}
		at[k] = len(joined)
		joined = append(joined, rule)
	}
	return joined
}

// words makes a key of lists.
func words(lists ...[]string) string {
	var all []string
	for _, list := range lists {
		all = append(all, strings.Join(list, "\x00"))
	}
	return strings.Join(all, "\x01")
}

func compareRules(a, b rbacv1.PolicyRule) int {
	return cmp.Or(
		slices.Compare(a.NonResourceURLs, b.NonResourceURLs),
		slices.Compare(a.APIGroups, b.APIGroups), slices.Compare(a.Resources, b.Resources),
		slices.Compare(a.ResourceNames, b.ResourceNames), slices.Compare(a.Verbs, b.Verbs),
	)
}
