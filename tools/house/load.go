// SPDX-License-Identifier: Apache-2.0

// Package house measures how the code of a module is arranged: what files of a package know of each other,
// what packages import, how long files, functions and lines are, and how long a walk through the code is.
package house

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"
)

// Package is a package of a module, without its tests and generated files.
type Package struct {
	*packages.Package
	Files []File
}

// File is a file that a person has written.
type File struct {
	Name   string // base name
	Path   string
	Syntax *ast.File
}

// Load loads packages of the module in a folder, with types.
func Load(folder string, patterns ...string) ([]Package, error) {
	config := &packages.Config{Dir: folder, Mode: packages.NeedName | packages.NeedFiles | packages.NeedSyntax |
		packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedModule}
	loaded, err := packages.Load(config, patterns...)
	if err != nil {
		return nil, fmt.Errorf("load %s in %s: %w", strings.Join(patterns, " "), folder, err)
	}
	var found []Package
	var errs []error
	for _, p := range loaded {
		for _, e := range p.Errors {
			errs = append(errs, fmt.Errorf("load %s: %w", p.PkgPath, e))
		}
		if files := writtenByHand(p); len(files) > 0 {
			found = append(found, Package{Package: p, Files: files})
		}
	}
	return found, errors.Join(errs...)
}

func writtenByHand(p *packages.Package) []File {
	var files []File
	for _, syntax := range p.Syntax {
		path := p.Fset.Position(syntax.FileStart).Filename
		name := filepath.Base(path)
		if ast.IsGenerated(syntax) || strings.HasPrefix(name, "zz_") {
			continue
		}
		files = append(files, File{Name: name, Path: path, Syntax: syntax})
	}
	return files
}

// lines returns the number of lines from one position to another.
func lines(fset *token.FileSet, from, to token.Pos) int {
	return fset.Position(to).Line - fset.Position(from).Line + 1
}
