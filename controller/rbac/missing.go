// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// missing returns what was used but is not granted, one entry for each permission.
func (g *Granted) missing(used Used) []Missing {
	var missing []Missing
	for _, use := range used {
		if g.allows(use) || covered(everybody(), use) {
			continue
		}
		last := len(missing) - 1
		if last >= 0 && missing[last].Uses[0].permission() == use.permission() {
			missing[last].Uses = append(missing[last].Uses, use)
			continue
		}
		near, why := g.near(use)
		missing = append(missing, Missing{Uses: []Use{use}, Near: near, Why: why})
	}
	return missing
}

func (g *Granted) allows(use Use) bool {
	return slices.ContainsFunc(g.grants, func(grant grant) bool { return grant.covers(use) })
}

// near returns the rule that lacks the least to allow a use, and what it lacks.
func (g *Granted) near(use Use) (*Source, string) {
	for _, lack := range []func(grant, Use) (string, bool){lacksName, lacksVerb, lacksPlace} {
		for _, grant := range g.grants {
			if why, ok := lack(grant, use); ok {
				return &grant.Source, why
			}
		}
	}
	return nil, ""
}

// lacksName finds a rule that would allow the use but for its resourceNames.
func lacksName(g grant, use Use) (string, bool) {
	names := g.rule.ResourceNames
	if len(names) == 0 {
		return "", false
	}
	g.rule.ResourceNames = nil
	return "grants it for the name " + strings.Join(names, ", ") + " only", g.covers(use)
}

// lacksVerb finds a rule for the same thing with other verbs.
func lacksVerb(g grant, use Use) (string, bool) {
	verbs := strings.Join(g.rule.Verbs, ", ")
	g.rule.Verbs = []string{rbacv1.VerbAll}
	return "grants " + verbs + " on it", g.covers(use)
}

// lacksPlace finds a rule that would allow the use in another namespace.
func lacksPlace(g grant, use Use) (string, bool) {
	place := g.namespace
	if place == "" || use.Path != "" {
		return "", false
	}
	g.namespace = ""
	return "grants it in the namespace " + place + " only", g.covers(use)
}
