// SPDX-License-Identifier: Apache-2.0

package house

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Walk is a way through the code, by functions.
type Walk struct {
	Title     string
	Files     int
	Packages  int
	Functions int
	Lines     int // of the functions, without their comments
}

// String returns the walk's numbers in a line.
func (w Walk) String() string {
	return fmt.Sprintf("%s: %d files, %d packages, %d functions, %d lines",
		w.Title, w.Files, w.Packages, w.Functions, w.Lines)
}

// walkHeading comes before the title of each walk in a page.
const walkHeading = "## Walk: "

// Walks reads the walks of a Markdown page: sections whose headings begin with "## Walk: ". Each entry is a
// code span of the form file.go:Function or file.go:Type.Method, with the path of the file relative to the
// root of the repository. An entry whose function does not exist is an error.
func Walks(root, page string) ([]Walk, error) {
	text, err := os.ReadFile(page)
	if err != nil {
		return nil, fmt.Errorf("read the walks: %w", err)
	}
	entry := regexp.MustCompile("`([\\w./-]+\\.go):([\\w.]+)`")
	var walks []Walk
	var errs []error
	for i, section := range strings.Split(string(text), walkHeading) {
		if i == 0 {
			continue
		}
		title, body, _ := strings.Cut(section, "\n")
		body, _, _ = strings.Cut(body, "\n## ")
		walk := walker{root: root, seen: map[string]bool{}, files: map[string]bool{}, packages: map[string]bool{}}
		matches := entry.FindAllStringSubmatch(body, -1)
		if len(matches) == 0 {
			errs = append(errs, fmt.Errorf("walk %q names no function: write `file.go:Function`", title))
		}
		for _, match := range matches {
			if err := walk.add(match[1], match[2]); err != nil {
				errs = append(errs, fmt.Errorf("walk %q: %w", title, err))
			}
		}
		walks = append(walks, Walk{
			Title: strings.TrimSpace(title), Files: len(walk.files), Packages: len(walk.packages),
			Functions: len(walk.seen), Lines: walk.lines,
		})
	}
	if len(walks) == 0 {
		errs = append(errs, fmt.Errorf("%s has no walk: begin a heading with %q", page, strings.TrimSpace(walkHeading)))
	}
	return walks, errors.Join(errs...)
}

type walker struct {
	root     string
	seen     map[string]bool
	files    map[string]bool
	packages map[string]bool
	lines    int
}

func (w *walker) add(path, function string) error {
	if w.seen[path+":"+function] {
		return nil
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, filepath.Join(w.root, path), nil, 0)
	if err != nil {
		return err
	}
	for _, declaration := range file.Decls {
		if d, ok := declaration.(*ast.FuncDecl); ok && nameOf(d) == function {
			w.seen[path+":"+function] = true
			w.files[path] = true
			w.packages[filepath.Dir(path)] = true
			w.lines += lines(fset, d.Pos(), d.End())
			return nil
		}
	}
	return fmt.Errorf("%s has no function %s, but %s", path, function, strings.Join(functionsOf(file), ", "))
}

func functionsOf(file *ast.File) []string {
	names := map[string]bool{}
	for _, declaration := range file.Decls {
		if d, ok := declaration.(*ast.FuncDecl); ok {
			names[nameOf(d)] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// nameOf returns the name of a function, or the type and the name of a method.
func nameOf(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	for {
		switch of := t.(type) {
		case *ast.StarExpr:
			t = of.X
		case *ast.IndexExpr:
			t = of.X
		case *ast.IndexListExpr:
			t = of.X
		case *ast.Ident:
			return of.Name + "." + d.Name.Name
		default:
			return d.Name.Name
		}
	}
}
