// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"fmt"
	"path/filepath"
	"slices"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// recorder keeps the kustomization files that are read through it. Kustomize has no other
// way to hand out its warnings than standard error, and catching them there would swap a
// variable of the whole process.
type recorder struct {
	filesys.FileSystem
	read map[string][]byte
}

func (r *recorder) ReadFile(path string) ([]byte, error) {
	content, err := r.FileSystem.ReadFile(path)
	if err == nil && slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(path)) {
		if r.read == nil {
			r.read = make(map[string][]byte)
		}
		r.read[path] = content
	}
	return content, err
}

// warnings returns what kustomize warned of: deprecated fields, the one thing that it
// tolerates with a warning in a kustomization without variables, plugins or remote files.
func (r *recorder) warnings() []string {
	var found []string
	for path, content := range r.read {
		var k types.Kustomization
		if k.Unmarshal(content) != nil {
			continue // the build has failed already
		}
		for _, message := range *k.CheckDeprecatedFields() {
			found = append(found, fmt.Sprintf("%s: %s", path, message))
		}
	}
	slices.Sort(found)
	return found
}
