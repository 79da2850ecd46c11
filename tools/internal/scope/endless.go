// SPDX-License-Identifier: Apache-2.0

package scope

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// Endless reports whether v is a local variable that is only ever a new Background or TODO:
// such a context does not end, and has no values, so that nothing is gained by using it.
func Endless(info *types.Info, c inspector.Cursor, v *types.Var) bool {
	decl, ok := Decl(c)
	if !ok || v == nil || v.Kind() != types.LocalVar {
		return false
	}
	made, other := false, false
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, lhs := range n.Lhs {
				if id, ok := lhs.(*ast.Ident); ok && info.ObjectOf(id) == v {
					isNew := len(n.Lhs) == len(n.Rhs) && newContext(info, n.Rhs[i])
					made, other = made || isNew, other || !isNew
				}
			}
		case *ast.ValueSpec:
			for i, id := range n.Names {
				if info.Defs[id] == v && i < len(n.Values) {
					isNew := len(n.Names) == len(n.Values) && newContext(info, n.Values[i])
					made, other = made || isNew, other || !isNew
				}
			}
		}
		return true
	})
	return made && !other
}

func newContext(info *types.Info, e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	return ok && NewContext(info, call) != ""
}
