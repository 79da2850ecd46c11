// SPDX-License-Identifier: Apache-2.0

// Package builtin knows Kubernetes' own kinds, from a list: client-go, which has them too, takes minutes to build.
package builtin

import (
	_ "embed" // the list
	"fmt"
	"strings"
)

//go:embed kinds.txt
var list string

// Kind is one of Kubernetes' own kinds, as client-go has it.
type Kind struct {
	Package    string // of its Go type
	Folder     string // of its group, as part of Go names
	Plural     string
	Namespaced bool
}

// Find returns a kind for which client-go has an informer. The group of the first kinds is empty.
func Find(group, version, kind string) (Kind, error) {
	name := group + "/" + version + "/" + kind
	for line := range strings.Lines(list) {
		fields := strings.Fields(line)
		if fields[0] != name {
			continue
		}
		found := Kind{Plural: fields[1], Namespaced: fields[2] == "Namespaced", Package: fields[3]}
		found.Folder, _, _ = strings.Cut(group, ".")
		if group == "" {
			found.Folder = "core"
		}
		return found, nil
	}
	return Kind{}, fmt.Errorf("%s is neither a kind of the project nor one of Kubernetes that can be watched; write it as "+
		"GROUP/VERSION/KIND, such as apps/v1/Deployment or v1/Pod", strings.TrimPrefix(name, "/"))
}
