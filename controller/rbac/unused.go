// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/component-helpers/auth/rbac/validation"
)

// unused returns what is granted but was not used, in the order of the rules.
func (g *Granted) unused(used Used) []Unused {
	atoms := g.atoms()
	var unused []Unused
	for i := range atoms {
		atom := &atoms[i]
		uses := atom.uses(used)
		u := Unused{Source: atom.Source, Grant: atom.rule}
		if len(uses) > 0 {
			if u.Also = alsoGranted(atoms, i, uses); u.Also != nil {
				atom.dropped = true
			} else if !atom.widerThan(uses) {
				continue
			} else {
				u.Instead = uses
			}
		}
		unused = append(unused, u)
	}
	return unused
}

// atom is a grant of one verb on one thing.
type atom struct {
	grant
	dropped bool // others grant all that was used of it
}

// atoms returns the grants, broken down.
func (g *Granted) atoms() []atom {
	var atoms []atom
	for _, all := range g.grants {
		for _, rule := range validation.BreakdownRule(all.rule) {
			one := all
			one.rule = rule
			atoms = append(atoms, atom{grant: one})
		}
	}
	return atoms
}

// uses returns what was used of the grant.
func (a *atom) uses(used Used) []Use {
	var uses []Use
	for _, use := range used {
		if a.covers(use) {
			uses = append(uses, use)
		}
	}
	return uses
}

// alsoGranted returns the first of the other rules by which all uses of the atom i are granted as well,
// or nil.
func alsoGranted(atoms []atom, i int, uses []Use) *Source {
	var also *Source
	for _, use := range uses {
		granted := false
		for j := range atoms {
			if j == i || atoms[j].dropped || !atoms[j].covers(use) {
				continue
			}
			granted = true
			if also == nil {
				also = &atoms[j].Source
			}
			break
		}
		if !granted {
			return nil
		}
	}
	return also
}

// widerThan reports whether the grant allows more kinds of things than were used of it.
func (a *atom) widerThan(uses []Use) bool {
	wild := func(words []string) bool {
		return len(words) > 0 && strings.Contains(words[0], rbacv1.ResourceAll)
	}
	if wild(a.rule.Verbs) || wild(a.rule.APIGroups) || wild(a.rule.Resources) || wild(a.rule.NonResourceURLs) {
		return !slices.ContainsFunc(uses, Use.wild)
	}
	all := func(ok func(Use) bool) bool {
		return !slices.ContainsFunc(uses, func(use Use) bool { return !ok(use) })
	}
	return len(a.rule.ResourceNames) == 0 && all(Use.onlyName) ||
		a.namespace == "" && all(Use.onlyNamespace)
}
