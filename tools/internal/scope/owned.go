// SPDX-License-Identifier: Apache-2.0

package scope

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// Owned reports whether the new context made at c is given a cancel function that is kept: stored
// or handed on, not only called here. Such a context ends when its owner says so.
func Owned(info *types.Info, c inspector.Cursor) bool {
	if !Cancels(info, c) {
		return false
	}
	assign, ok := c.Parent().Parent().Node().(*ast.AssignStmt)
	if !ok || len(assign.Lhs) != 2 || len(assign.Rhs) != 1 {
		return false
	}
	id, ok := assign.Lhs[1].(*ast.Ident)
	if !ok {
		return true
	}
	decl, ok := Decl(c)
	return ok && usedAsValue(info, decl, info.ObjectOf(id), id)
}

// usedAsValue reports whether the variable is used other than by calling it, and than in its
// declaration.
func usedAsValue(info *types.Info, decl *ast.FuncDecl, v types.Object, declared *ast.Ident) bool {
	skip := map[*ast.Ident]bool{declared: true}
	found := false
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok {
				skip[f] = true
			}
		case *ast.Ident:
			found = found || v != nil && info.Uses[n] == v && !skip[n]
		}
		return !found
	})
	return found
}
