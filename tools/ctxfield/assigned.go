// SPDX-License-Identifier: Apache-2.0

package ctxfield

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/lanyard-k8s/lanyard/tools/internal/edit"
	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

// assigned returns the fields of the package's structs that something assigns a context to, with the
// name of the first function that does. Tests do not count, nor do functions whose name says that this
// is what they are for.
func assigned(pass *analysis.Pass, root inspector.Cursor) map[*types.Var]string {
	by := map[*types.Var]string{}
	for c := range root.Preorder((*ast.AssignStmt)(nil)) {
		decl, ok := scope.Decl(c)
		if !ok || edit.Test(pass, decl.Pos()) || decl.Name.Name == "WithContext" || decl.Name.Name == "Context" {
			continue
		}
		for _, lhs := range c.Node().(*ast.AssignStmt).Lhs {
			if f := field(pass, lhs); f != nil && by[f] == "" {
				by[f] = decl.Name.Name
			}
		}
	}
	return by
}

// field returns the field of the package that the expression is, if it holds a context.
func field(pass *analysis.Pass, e ast.Expr) *types.Var {
	sel, ok := ast.Unparen(e).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	s, ok := pass.TypesInfo.Selections[sel]
	if !ok || s.Kind() != types.FieldVal || !scope.IsContext(s.Type()) {
		return nil
	}
	v := s.Obj().(*types.Var).Origin()
	if v.Pkg() != pass.Pkg {
		return nil
	}
	return v
}

// storedBy says which function assigns to one of the field's names, or "".
func storedBy(pass *analysis.Pass, f *ast.Field, by map[*types.Var]string) string {
	for _, id := range f.Names {
		v, _ := pass.TypesInfo.Defs[id].(*types.Var)
		if who := by[v]; who != "" {
			return ", which " + who + " assigns"
		}
	}
	return ""
}
