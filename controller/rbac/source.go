// SPDX-License-Identifier: Apache-2.0

package rbac

import "fmt"

// Source says where a rule is.
type Source struct {
	File      string // or what was given to Manifests.Add as the source
	Kind      string // Role or ClusterRole
	Namespace string // of a Role
	Name      string
	Rule      int // counted from 1
}

// String returns the place of the rule in one line.
func (s Source) String() string {
	name := s.Name
	if s.Namespace != "" {
		name = s.Namespace + "/" + name
	}
	return fmt.Sprintf("rule %d of the %s %s in %s", s.Rule, s.Kind, name, s.File)
}
