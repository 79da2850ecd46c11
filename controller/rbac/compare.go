// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"fmt"
	"strings"
)

// Comparison is the difference between what was used and what is granted.
type Comparison struct {
	Missing []Missing // used but not granted
	Unused  []Unused  // granted but never used
}

// Compare compares what was used with what is granted, by the rules of the API server's authorizer.
// It fails if uses are stated without a reason.
//
// What Kubernetes grants every authenticated user is not missing. A grant for all verbs, groups,
// resources, names or namespaces is wider than what was used if that were only some: it is among the
// unused, with what to grant instead. So is the second of two rules that grant the same.
func Compare(used Used, granted *Granted) (*Comparison, error) {
	if err := used.check(); err != nil {
		return nil, fmt.Errorf("compare permissions: %w", err)
	}
	used = Merge(used)
	return &Comparison{Missing: granted.missing(used), Unused: granted.unused(used)}, nil
}

// Empty reports whether what is granted is what was used.
func (c *Comparison) Empty() bool { return len(c.Missing)+len(c.Unused) == 0 }

// String lists the differences, one in each line.
func (c *Comparison) String() string {
	var b strings.Builder
	if len(c.Missing) > 0 {
		b.WriteString("used but not granted:\n")
	}
	for _, m := range c.Missing {
		fmt.Fprintf(&b, "  %s\n", m)
	}
	if len(c.Unused) > 0 {
		b.WriteString("granted but never used:\n")
	}
	for _, u := range c.Unused {
		fmt.Fprintf(&b, "  %s\n", u)
	}
	return b.String()
}
