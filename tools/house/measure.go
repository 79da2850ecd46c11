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
	Variables     int // of packages, errors excepted
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

const tabColumns = 4

func (m *Measures) addText(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("measure a file: %w", err)
	}
	all := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	m.FileLines = append(m.FileLines, len(all))
	for _, line := range all {
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
			}
		case *ast.GoStmt:
			m.Goroutines++
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
			m.FunctionLines = append(m.FunctionLines, lines(p.Fset, d.Pos(), d.End()))
		}
	case *ast.GenDecl:
		if d.Tok != token.VAR {
			return
		}
		for _, spec := range d.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				if object := p.TypesInfo.Defs[name]; name.Name != "_" && object != nil && !isError(object.Type()) {
					m.Variables++
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
	if object := p.TypesInfo.Defs[spec.Name]; object != nil && isContext(types.NewPointer(object.Type())) {
		return
	}
	for _, field := range fields.Fields.List {
		if t := p.TypesInfo.TypeOf(field.Type); t != nil && t.String() == "context.Context" {
			m.Contexts += max(1, len(field.Names))
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

func isError(t types.Type) bool {
	return types.Implements(t, types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
}

// isContext reports whether a type has the methods of context.Context.
func isContext(t types.Type) bool {
	methods := types.NewMethodSet(t)
	for _, name := range []string{"Deadline", "Done", "Err", "Value"} {
		if methods.Lookup(nil, name) == nil {
			return false
		}
	}
	return true
}

// quantile returns a quantile of numbers; 0 if there are none.
func quantile(numbers []int, q float64) int {
	if len(numbers) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(numbers))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func per(n, of, base int) float64 { return float64(n) * float64(base) / float64(max(1, of)) }

// Values returns the numbers by the names that limits use.
func (m Measures) Values() map[string]float64 {
	long := 0
	for _, n := range m.FunctionLines {
		if n > 80 {
			long++
		}
	}
	return map[string]float64{
		"files":              float64(len(m.FileLines)),
		"file-median":        float64(quantile(m.FileLines, .5)),
		"file-p90":           float64(quantile(m.FileLines, .9)),
		"file-max":           float64(quantile(m.FileLines, 1)),
		"function-median":    float64(quantile(m.FunctionLines, .5)),
		"function-p90":       float64(quantile(m.FunctionLines, .9)),
		"function-max":       float64(quantile(m.FunctionLines, 1)),
		"functions-over-80":  float64(long),
		"width-p90":          float64(quantile(m.Widths, .9)),
		"width-max":          float64(quantile(m.Widths, 1)),
		"comments":           per(m.CommentLines, m.CodeLines, 1),
		"parallel":           per(m.Parallel, m.CodeLines, 1_000),
		"contexts-in-fields": per(m.Contexts, m.CodeLines, 10_000),
		"goroutines":         float64(m.Goroutines),
		"variables":          float64(m.Variables),
	}
}
