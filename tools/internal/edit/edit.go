// SPDX-License-Identifier: Apache-2.0

// Package edit makes the text edits that several analyzers share.
package edit

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Insert inserts text at pos.
func Insert(pos token.Pos, text string) analysis.TextEdit {
	return analysis.TextEdit{Pos: pos, End: pos, NewText: []byte(text)}
}

// Replace replaces a node.
func Replace(n ast.Node, text string) analysis.TextEdit {
	return analysis.TextEdit{Pos: n.Pos(), End: n.End(), NewText: []byte(text)}
}

// FirstArg makes text the call's first argument.
func FirstArg(call *ast.CallExpr, text string) analysis.TextEdit {
	if len(call.Args) > 0 {
		return Insert(call.Args[0].Pos(), text+", ")
	}
	return Insert(call.Rparen, text)
}

// FirstParam makes text the function's first parameter.
func FirstParam(fn *ast.FuncType, text string) analysis.TextEdit {
	if len(fn.Params.List) > 0 {
		text += ", "
	}
	return Insert(fn.Params.Opening+1, text)
}

// File returns the file that holds pos.
func File(pass *analysis.Pass, pos token.Pos) *ast.File {
	for _, f := range pass.Files {
		if f.FileStart <= pos && pos < f.FileEnd {
			return f
		}
	}
	return nil
}

// Generated reports whether pos is in a generated file, which is never rewritten.
func Generated(pass *analysis.Pass, pos token.Pos) bool {
	f := File(pass, pos)
	return f == nil || ast.IsGenerated(f)
}

// Test reports whether pos is in a test file.
func Test(pass *analysis.Pass, pos token.Pos) bool {
	return strings.HasSuffix(pass.Fset.Position(pos).Filename, "_test.go")
}

// TestHelper reports whether pos is in a test file or in another that is written for tests: it
// names testing.T, TB, B, F or M. To import testing is not enough: programs ask testing.Testing.
func TestHelper(pass *analysis.Pass, pos token.Pos) bool {
	if Test(pass, pos) {
		return true
	}
	name := Import(pass, pos, "testing")
	if name == "" {
		return false
	}
	found := false
	ast.Inspect(File(pass, pos), func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			id, ok := sel.X.(*ast.Ident)
			found = found || ok && id.Name == name && helped[sel.Sel.Name]
		}
		return !found
	})
	return found
}

var helped = map[string]bool{"T": true, "TB": true, "B": true, "F": true, "M": true}

// Import returns the name by which code at pos reaches the package, or "" when the file does
// not import it or something hides the name.
func Import(pass *analysis.Pass, pos token.Pos, path string) string {
	f := File(pass, pos)
	if f == nil {
		return ""
	}
	for _, spec := range f.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err != nil || p != path {
			continue
		}
		obj := pass.TypesInfo.Implicits[spec]
		if spec.Name != nil {
			obj = pass.TypesInfo.Defs[spec.Name]
		}
		if name, ok := obj.(*types.PkgName); ok && visible(pass, pos, name) {
			return name.Name()
		}
	}
	return ""
}

func visible(pass *analysis.Pass, pos token.Pos, name *types.PkgName) bool {
	f := File(pass, pos)
	inner := pass.TypesInfo.Scopes[f].Innermost(pos)
	if inner == nil {
		inner = pass.TypesInfo.Scopes[f]
	}
	_, found := inner.LookupParent(name.Name(), pos)
	return found == name
}

// AddImport adds an import to the file, after the package clause, where gofmt leaves it alone.
func AddImport(f *ast.File, name, path string) analysis.TextEdit {
	line := "import " + strings.TrimSpace(name+" "+strconv.Quote(path))
	if len(f.Decls) > 0 { // imports come first
		if first, ok := f.Decls[0].(*ast.GenDecl); ok && first.Tok == token.IMPORT {
			if first.Lparen.IsValid() {
				return Insert(first.Lparen+1, "\n\t"+strings.TrimPrefix(line, "import "))
			}
			return Insert(first.Pos(), line+"\n")
		}
	}
	return Insert(f.Name.End(), "\n\n"+line)
}
