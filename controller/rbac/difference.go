// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"fmt"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Missing is something that was used but is not granted.
type Missing struct {
	// Uses differ in namespace and name only.
	Uses []Use
	// Near is the rule that grants the most similar thing. Nil if no rule is about the resource.
	Near *Source
	// Why says what that rule lacks.
	Why string
}

// Unused is something that is granted but was never used, or grants more than was used.
type Unused struct {
	Source
	// Grant has one verb, one resource or URL, and one name or none.
	Grant rbacv1.PolicyRule
	// Instead is all that was used of a grant that is wider than that. Otherwise empty.
	Instead []Use
	// Also is another rule that grants all that was used of this one. Otherwise nil.
	Also *Source
}

// String returns the line for a person.
func (m Missing) String() string {
	var b strings.Builder
	b.WriteString(m.Uses[0].String())
	if more := len(m.Uses) - 1; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	if by := m.Uses[0].By; by != "" {
		fmt.Fprintf(&b, ", by the %s", by)
	}
	for _, use := range m.Uses {
		if use.Refused {
			b.WriteString(", refused by the API server")
			break
		}
	}
	if m.Near == nil {
		b.WriteString(": no rule is about it")
		return b.String()
	}
	fmt.Fprintf(&b, ": %s %s", m.Near, m.Why)
	return b.String()
}

// String returns the line for a person.
func (u Unused) String() string {
	text := u.Source.String() + ": " + describe(u.Grant)
	if u.Also != nil {
		return text + ", which is granted by " + u.Also.String() + " as well"
	}
	if len(u.Instead) == 0 {
		return text
	}
	words := make([]string, len(u.Instead))
	for i, use := range u.Instead {
		words[i] = use.String()
	}
	return text + ", of which only this was used: " + strings.Join(words, ", ")
}

// describe writes a grant of one thing.
func describe(rule rbacv1.PolicyRule) string {
	use := Use{Verb: rule.Verbs[0]}
	if len(rule.NonResourceURLs) > 0 {
		use.Path = rule.NonResourceURLs[0]
		return use.String()
	}
	use.Group = rule.APIGroups[0]
	use.Resource = rule.Resources[0]
	if len(rule.ResourceNames) > 0 {
		use.Name = rule.ResourceNames[0]
	}
	return use.String()
}
