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
		assign := c.Node().(*ast.AssignStmt)
		if keepsCancel(pass, assign) {
			continue // the struct ends it, whatever type the function is stored as
		}
		for _, lhs := range assign.Lhs {
			if f := field(pass, lhs); f != nil && by[f] == "" {
				by[f] = decl.Name.Name
			}
		}
	}
	return by
}

// keepsCancel reports whether the statement stores the function that ends the context as well.
func keepsCancel(pass *analysis.Pass, assign *ast.AssignStmt) bool {
	if len(assign.Lhs) != 2 || len(assign.Rhs) != 1 {
		return false
	}
	made, ok := pass.TypesInfo.TypeOf(assign.Rhs[0]).(*types.Tuple)
	if !ok || made.Len() != 2 || !scope.IsCancel(made.At(1).Type()) {
		return false
	}
	_, stored := ast.Unparen(assign.Lhs[1]).(*ast.SelectorExpr)
	return stored
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
