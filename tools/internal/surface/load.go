// SPDX-License-Identifier: Apache-2.0

// Package surface loads the packages that users can import and lists what they export.
package surface

import (
	"errors"
	"fmt"
	"go/types"
	"os"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// A Surface is the public packages of one module.
type Surface struct {
	Module   string           // path of the module
	Packages []*types.Package // sorted by path
}

const loadMode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles |
	packages.NeedImports | packages.NeedTypes | packages.NeedTypesSizes |
	packages.NeedExportFile | packages.NeedModule

// Load loads the packages which the patterns match in folder dir, without commands and without
// internal packages. The platform is always linux/amd64, so that the result does not depend on
// the machine. A package that does not compile is an error.
func Load(dir string, patterns ...string) (*Surface, error) {
	config := &packages.Config{
		Mode: loadMode,
		Dir:  dir,
		Env:  append(os.Environ(), "GOWORK=off", "GOOS=linux", "GOARCH=amd64"),
	}
	loaded, err := packages.Load(config, patterns...)
	if err != nil {
		return nil, fmt.Errorf("loading %s in %s: %w", strings.Join(patterns, " "), dir, err)
	}
	s := &Surface{}
	var problems []error
	for _, pkg := range loaded {
		for _, problem := range pkg.Errors {
			problems = append(problems, problem)
		}
		if pkg.Name == "main" || internal(pkg.PkgPath) || pkg.Types == nil {
			continue
		}
		if pkg.Module != nil {
			s.Module = pkg.Module.Path
		}
		s.Packages = append(s.Packages, pkg.Types)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("loading %s in %s: %w", strings.Join(patterns, " "), dir, err)
	}
	if len(s.Packages) == 0 {
		return nil, fmt.Errorf("%s in %s: no public package", strings.Join(patterns, " "), dir)
	}
	slices.SortFunc(s.Packages, func(a, b *types.Package) int {
		return strings.Compare(a.Path(), b.Path())
	})
	return s, nil
}

// Rel returns a package's path without the module's. For the package at the module's root this
// is ".", for a package of another module its whole path.
func (s *Surface) Rel(pkg *types.Package) string {
	if pkg.Path() == s.Module {
		return "."
	}
	return strings.TrimPrefix(pkg.Path(), s.Module+"/")
}

// internal reports whether users cannot import a package because of its path.
func internal(path string) bool {
	return slices.Contains(strings.Split(path, "/"), "internal")
}
