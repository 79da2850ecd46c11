// SPDX-License-Identifier: Apache-2.0

package ctxblock

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

// stops reports whether the channel is there to end the wait: by its name, or as a context's Done.
func stops(pass *analysis.Pass, c inspector.Cursor, ch ast.Expr) bool {
	_, done := scope.DoneOf(pass.TypesInfo, c, ch)
	return done || scope.StopName.MatchString(types.ExprString(ch))
}

// receive reports a receive outside of a select.
func receive(pass *analysis.Pass, c inspector.Cursor, n *ast.UnaryExpr, v *types.Var) {
	if n.Op != token.ARROW || inComm(c) || stops(pass, c, n.X) {
		return
	}
	if joins(pass, c, n.X, v) || drains(c) {
		return
	}
	pass.Reportf(n.Pos(), "this receive goes on waiting after %s has ended: select on %[1]s.Done() as well", v.Name())
}

// inComm reports whether the receive is a select's case, not in a case's body.
func inComm(c inspector.Cursor) bool {
	for up := range c.Enclosing((*ast.CommClause)(nil), (*ast.FuncLit)(nil)) {
		clause, ok := up.Node().(*ast.CommClause)
		return ok && clause.Comm != nil && clause.Comm.Pos() <= c.Node().Pos() && c.Node().Pos() < clause.Comm.End()
	}
	return false
}

// joins reports whether the channel is one on which a goroutine that this function starts tells
// of its end, one with a buffer that the function itself has filled, or one that a call on v has
// returned, which tells of v's end.
func joins(pass *analysis.Pass, c inspector.Cursor, ch ast.Expr, v *types.Var) bool {
	id, ok := ast.Unparen(ch).(*ast.Ident)
	decl, in := scope.Decl(c)
	if !ok || !in {
		return false
	}
	obj := pass.TypesInfo.Uses[id]
	found := false
	ast.Inspect(decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SendStmt:
			found = found || is(pass, n.Chan, obj)
		case *ast.AssignStmt:
			found = found || returned(pass, n, obj, v)
		case *ast.CallExpr:
			name, ok := n.Fun.(*ast.Ident)
			found = found || ok && name.Name == "close" && is(pass, n.Args[0], obj)
		case *ast.GoStmt:
			for _, arg := range n.Call.Args {
				found = found || is(pass, arg, obj)
			}
		}
		return !found
	})
	return found
}

// returned reports whether the statement assigns to ch what a call on v returns.
func returned(pass *analysis.Pass, n *ast.AssignStmt, ch, v types.Object) bool {
	call, ok := n.Rhs[0].(*ast.CallExpr)
	id, isIdent := n.Lhs[0].(*ast.Ident)
	if !ok || !isIdent || ch == nil || pass.TypesInfo.ObjectOf(id) != ch {
		return false
	}
	for _, arg := range call.Args {
		if is(pass, arg, v) {
			return true
		}
	}
	return false
}

// drains reports whether the receive empties a timer that was not stopped in time.
func drains(c inspector.Cursor) bool {
	for up := range c.Enclosing((*ast.IfStmt)(nil)) {
		not, ok := up.Node().(*ast.IfStmt).Cond.(*ast.UnaryExpr)
		if !ok {
			return false
		}
		call, ok := not.X.(*ast.CallExpr)
		if !ok {
			return false
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		return ok && sel.Sel.Name == "Stop"
	}
	return false
}

func is(pass *analysis.Pass, e ast.Expr, obj types.Object) bool {
	id, ok := e.(*ast.Ident)
	return ok && obj != nil && pass.TypesInfo.Uses[id] == obj
}

// choice reports a select that blocks and has no case which a stop would reach.
func choice(pass *analysis.Pass, c inspector.Cursor, n *ast.SelectStmt, v *types.Var) {
	for _, s := range n.Body.List {
		clause := s.(*ast.CommClause)
		if clause.Comm == nil {
			return
		}
		if ch := received(clause.Comm); ch != nil && stops(pass, c, ch) {
			return
		}
	}
	pass.Reportf(n.Pos(), "this select goes on waiting after %s has ended: add a case for %[1]s.Done()", v.Name())
}

func received(comm ast.Stmt) ast.Expr {
	var e ast.Expr
	switch s := comm.(type) {
	case *ast.ExprStmt:
		e = s.X
	case *ast.AssignStmt:
		e = s.Rhs[0]
	}
	if u, ok := ast.Unparen(e).(*ast.UnaryExpr); ok && u.Op == token.ARROW {
		return u.X
	}
	return nil
}
