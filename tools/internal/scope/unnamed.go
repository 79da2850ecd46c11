// SPDX-License-Identifier: Apache-2.0

package scope

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/lanyard-k8s/lanyard/tools/internal/edit"
)

// Unnamed is a function that is given a context and drops it: the parameter is _ or has no name.
type Unnamed struct {
	Param *types.Var
	Func  inspector.Cursor // a FuncDecl or a FuncLit
}

// UnnamedAt returns the function around c whose context code at c could use if it had a name. There
// is none when a context that has a name is nearer.
func UnnamedAt(pass *analysis.Pass, c inspector.Cursor) (Unnamed, bool) {
	for f := range c.Enclosing((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		sig := signature(pass.TypesInfo, f.Node())
		if sig == nil {
			return Unnamed{}, false
		}
		v := Param(sig)
		if v == nil {
			continue
		}
		near := Nearest(pass.Pkg, c.Node().Pos())
		given := v.Name() == "_" || v.Name() == ""
		return Unnamed{v, f}, given && (near == nil || !InFunc(f.Node(), near))
	}
	return Unnamed{}, false
}

func signature(info *types.Info, f ast.Node) *types.Signature {
	var t types.Type
	switch f := f.(type) {
	case *ast.FuncLit:
		t = info.TypeOf(f)
	case *ast.FuncDecl:
		t = info.TypeOf(f.Name)
	}
	sig, _ := t.(*types.Signature)
	return sig
}

// Name returns the edits that name the parameter ctx. There are none if the function already uses
// that name for something else, or is in a generated file.
func (u Unnamed) Name(pass *analysis.Pass) []analysis.TextEdit {
	if edit.Generated(pass, u.Param.Pos()) || u.taken() {
		return nil
	}
	var edits []analysis.TextEdit
	for _, field := range u.fields() {
		for _, id := range field.Names {
			if id.Pos() == u.Param.Pos() {
				return []analysis.TextEdit{edit.Replace(id, "ctx")}
			}
		}
		name := "_ "
		if field.Type.Pos() == u.Param.Pos() {
			name = "ctx "
		}
		edits = append(edits, edit.Insert(field.Type.Pos(), name)) // one name needs the others
	}
	return edits
}

func (u Unnamed) fields() []*ast.Field {
	if lit, ok := u.Func.Node().(*ast.FuncLit); ok {
		return lit.Type.Params.List
	}
	return u.Func.Node().(*ast.FuncDecl).Type.Params.List
}

func (u Unnamed) taken() bool {
	for c := range u.Func.Preorder((*ast.Ident)(nil)) {
		if c.Node().(*ast.Ident).Name == "ctx" {
			return true
		}
	}
	return false
}
