// SPDX-License-Identifier: Apache-2.0

// Package mutants changes a line of a program, and sees whether its tests notice.
package mutants

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
)

// Mutant is a change of one place in one file.
type Mutant struct {
	File    string // its path
	Package string // its import path
	Line    int
	What    string // what is changed, in words
	Text    string // the first line of what is changed

	from, to int // the bytes that are replaced
	by       string
}

// String names the mutant.
func (m *Mutant) String() string { return fmt.Sprintf("%s:%d: %s: %s", m.File, m.Line, m.What, m.Text) }

// Apply returns the file's content with the change.
func (m *Mutant) Apply(content []byte) []byte {
	return bytes.Join([][]byte{content[:m.from], []byte(m.by), content[m.to:]}, nil)
}

var (
	generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
	// logging is what writes lines that no test is to depend on.
	logging = regexp.MustCompile(`^(klog\.|logger\.|log\.|fmt\.(Fp|P)rint)|\.(Info|V\(\d+\)\.Info|Error)\($`)
)

// Find returns the mutants of a file: conditions are negated, statements are dropped, errors are not returned.
// Generated files, and statements that write a log, have none.
func Find(path, pkg string) ([]*Mutant, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if generated.Match(content) {
		return nil, nil
	}
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, path, content, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	f := &finder{path: path, pkg: pkg, content: content, file: files.File(parsed.Pos())}
	ast.Inspect(parsed, f.visit)
	return f.found, nil
}

type finder struct {
	path, pkg string
	content   []byte
	file      *token.File
	found     []*Mutant
}

func (f *finder) visit(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.IfStmt:
		f.negate(n.Cond)
	case *ast.ForStmt:
		if n.Cond != nil {
			f.negate(n.Cond)
		}
	case *ast.BlockStmt:
		for _, statement := range n.List {
			f.drop(statement)
		}
	case *ast.CaseClause:
		for _, statement := range n.Body {
			f.drop(statement)
		}
	case *ast.CommClause:
		for _, statement := range n.Body {
			f.drop(statement)
		}
	case *ast.ReturnStmt:
		f.swallow(n)
	}
	return true
}

func (f *finder) negate(cond ast.Expr) {
	f.add(cond, "negated", "!("+f.text(cond)+")")
}

// drop drops a statement for its effect. What declares something is needed for the rest to compile.
func (f *finder) drop(statement ast.Stmt) {
	switch s := statement.(type) {
	case *ast.ExprStmt:
		if call, ok := s.X.(*ast.CallExpr); ok && logging.MatchString(f.text(call.Fun)+"(") {
			return
		}
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE || isBlank(s.Lhs) {
			return
		}
	case *ast.IncDecStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt:
	case *ast.BranchStmt:
		if s.Label != nil {
			return // its label would not be used any more
		}
	default:
		return
	}
	f.add(statement, "dropped", "")
}

func isBlank(names []ast.Expr) bool {
	for _, name := range names {
		if ident, ok := name.(*ast.Ident); !ok || ident.Name != "_" {
			return false
		}
	}
	return true
}

// swallow returns no error where one is returned.
func (f *finder) swallow(statement *ast.ReturnStmt) {
	if len(statement.Results) == 0 {
		return
	}
	last := statement.Results[len(statement.Results)-1]
	if ident, ok := last.(*ast.Ident); ok && ident.Name == "err" {
		f.add(last, "no error returned", "nil")
	}
}

func (f *finder) text(node ast.Node) string {
	return string(f.content[f.file.Offset(node.Pos()):f.file.Offset(node.End())])
}

func (f *finder) add(node ast.Node, what, by string) {
	text := f.text(node)
	first, _, more := strings.Cut(text, "\n")
	if more {
		first += " ..."
	}
	f.found = append(f.found, &Mutant{
		File: f.path, Package: f.pkg, Line: f.file.Line(node.Pos()), What: what, Text: first,
		from: f.file.Offset(node.Pos()), to: f.file.Offset(node.End()), by: by,
	})
}
