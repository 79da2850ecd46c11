// SPDX-License-Identifier: Apache-2.0

// Package kustomize builds kustomizations in this process, so that neither the tests nor the
// demonstration need kubectl. It is the kustomize that kubectl 1.37 carries.
package kustomize

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// ErrWarning is the error of a kustomization that kubectl would build, but with a warning.
var ErrWarning = errors.New("kustomize warns")

// Build returns the objects of the kustomization in dir, in the order in which they can be
// applied: namespaces and definitions first, then what others refer to. It loads what kubectl
// would by default: files below dir and other kustomizations, no plugins, nothing remote.
//
// A warning is an error, matching [ErrWarning], that names the kustomization files that it is
// about; kustomize itself also prints it to the process's standard error.
func Build(dir string) ([]*unstructured.Unstructured, error) {
	files := &recorder{FileSystem: filesys.MakeFsOnDisk()}
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified // as kubectl: sorted, unless the kustomization says how

	built, err := krusty.MakeKustomizer(options).Run(files, dir)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", dir, err)
	}
	if warnings := files.warnings(); len(warnings) > 0 {
		return nil, fmt.Errorf("build %s: %w: %s", dir, ErrWarning, strings.Join(warnings, "; "))
	}

	objects := make([]*unstructured.Unstructured, 0, built.Size())
	for _, resource := range built.Resources() {
		content, err := resource.Map()
		if err != nil {
			return nil, fmt.Errorf("build %s: %s: %w", dir, resource.CurId(), err)
		}
		objects = append(objects, &unstructured.Unstructured{Object: content})
	}
	return objects, nil
}
