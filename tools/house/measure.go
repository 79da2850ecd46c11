// SPDX-License-Identifier: Apache-2.0

package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"slices"
	"strings"

	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

// Measures are the numbers of a group of packages.
type Measures struct {
	FileLines     []int // of each file
	FunctionLines []int // of each function
	Widths        []int // of each line of code, in columns; a tab is four
	CodeLines     int
	CommentLines  int // licence headers excepted
	Parallel      int // assignments of several values at once, other than swaps
	Contexts      int // contexts in fields of structs, other than structs that are contexts
	Goroutines    int // go statements
	Variables     int // of packages, errors and embedded files excepted

	places places
}

// Measure measures packages.
func Measure(all []Package) (Measures, error) {
	var m Measures
	for _, p := range all {
		for _, f := range p.Files {
			if err := m.addText(f.Path); err != nil {
				return m, err
			}
			m.addSyntax(p, f.Syntax)
		}
	}
	return m, nil
}

// place notes where something that is measured stands.
func (m *Measures) place(p Package, name string, n ast.Node, value int) {
	at := p.Fset.Position(n.Pos())
	m.places.add(name, at.Filename, at.Line, value)
}

const tabColumns = 4

func (m *Measures) addText(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("measure a file: %w", err)
	}
	all := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	m.FileLines = append(m.FileLines, len(all))
	m.places.add("file", path, 1, len(all))
	for i, line := range all {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || strings.Contains(trimmed, "SPDX-License-Identifier"):
			continue
		case strings.HasPrefix(trimmed, "//"):
			m.CommentLines++
		default:
			m.CodeLines++
		}
		m.Widths = append(m.Widths, width(line))
		m.places.add("width", path, i+1, width(line))
	}
	return nil
}

// width returns the width of a line in columns.
func width(line string) int {
	columns := 0
	for _, r := range line {
		columns++
		if r == '\t' {
			columns += tabColumns - 1
		}
	}
	return columns
}

func (m *Measures) addSyntax(p Package, file *ast.File) {
	for _, declaration := range file.Decls {
		m.addDeclaration(p, declaration)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if len(n.Lhs) > 1 && len(n.Lhs) == len(n.Rhs) && !isSwap(n) {
				m.Parallel++
				m.place(p, "parallel", n, 1)
			}
		case *ast.GoStmt:
			m.Goroutines++
			m.place(p, "goroutines", n, 1)
		case *ast.TypeSpec:
			m.addType(p, n)
		}
		return true
	})
}

func (m *Measures) addDeclaration(p Package, declaration ast.Decl) {
	switch d := declaration.(type) {
	case *ast.FuncDecl:
		if d.Body != nil {
			length := lines(p.Fset, d.Pos(), d.End())
			m.FunctionLines = append(m.FunctionLines, length)
			m.place(p, "function", d, length)
		}
	case *ast.GenDecl:
		if d.Tok != token.VAR {
			return
		}
		for _, spec := range d.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				if object := p.TypesInfo.Defs[name]; name.Name != "_" && object != nil && !isError(object.Type()) && !isEmbedded(object.Type()) {
					m.Variables++
					m.place(p, "variables", name, 1)
				}
			}
		}
	}
}

func (m *Measures) addType(p Package, spec *ast.TypeSpec) {
	fields, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	if object := p.TypesInfo.Defs[spec.Name]; object != nil && scope.ActsAsContext(object.Type()) {
		return
	}
	for _, field := range fields.Fields.List {
		if t := p.TypesInfo.TypeOf(field.Type); t != nil && scope.IsContext(t) {
			count := max(1, len(field.Names))
			m.Contexts += count
			m.place(p, "contexts-in-fields", field, count)
		}
	}
}

// isSwap reports whether an assignment exchanges values.
func isSwap(a *ast.AssignStmt) bool {
	return slices.ContainsFunc(a.Lhs, func(left ast.Expr) bool {
		return slices.ContainsFunc(a.Rhs, func(right ast.Expr) bool {
			return a.Tok == token.ASSIGN && types.ExprString(left) == types.ExprString(right)
		})
	})
}

// isEmbedded reports whether a type is that of embedded files, which nobody can change.
func isEmbedded(t types.Type) bool { return types.TypeString(t, nil) == "embed.FS" }

func isError(t types.Type) bool {
	return types.Implements(t, types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
}
