// SPDX-License-Identifier: Apache-2.0

package scope

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"

	"golang.org/x/tools/go/ast/inspector"
)

// A Place says what kind of code uses a context, so far as that decides whether it may end.
type Place string

// The places. Only in Plain is it safe to write the context in scope without looking.
const (
	Plain    Place = ""
	Deferred Place = "in a defer"
	Started  Place = "in a goroutine"
	Closure  Place = "in a function literal that may run later"
	Cleanup  Place = "in clean-up, shutdown or lease code"
	Ended    Place = "after the context may have ended"
)

var (
	cleanupName = regexp.MustCompile(`(?i)clean|shut_?down|tear_?down|^close|^stop|releas|unlock|rollback|revert|drain|flush|terminat|^abort`)
	leaseName   = regexp.MustCompile(`(?i)lease|elector|leader|lock`)
	blocking    = regexp.MustCompile(`^(Run|Start|Serve|Wait|Block|Listen)|Until(WithContext)?$`)
)

// Of says in what kind of place the code at c uses v.
func Of(info *types.Info, c inspector.Cursor, v *types.Var) Place {
	for up := range c.Enclosing((*ast.DeferStmt)(nil), (*ast.GoStmt)(nil), (*ast.FuncLit)(nil), (*ast.FuncDecl)(nil), (*ast.CallExpr)(nil)) {
		switch n := up.Node().(type) {
		case *ast.DeferStmt:
			return Deferred
		case *ast.GoStmt:
			return Started
		case *ast.CallExpr:
			if cleanupName.MatchString(calleeName(n)) {
				return Cleanup
			}
		case *ast.FuncLit:
			if InFunc(n, v) {
				return ended(info, up, c.Node().Pos(), v)
			}
			return closure(up)
		case *ast.FuncDecl:
			if isCleanup(n) {
				return Cleanup
			}
			return ended(info, up, c.Node().Pos(), v)
		}
	}
	return Plain
}

func closure(lit inspector.Cursor) Place {
	for up := range lit.Enclosing((*ast.DeferStmt)(nil), (*ast.GoStmt)(nil)) {
		if _, ok := up.Node().(*ast.DeferStmt); ok {
			return Deferred
		}
		return Started
	}
	if decl, ok := Decl(lit); ok && isCleanup(decl) {
		return Cleanup
	}
	return Closure
}

func isCleanup(decl *ast.FuncDecl) bool {
	if cleanupName.MatchString(decl.Name.Name) || leaseName.MatchString(decl.Name.Name) {
		return true
	}
	if decl.Recv == nil || len(decl.Recv.List) == 0 {
		return false
	}
	name := ""
	ast.Inspect(decl.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return true
	})
	return leaseName.MatchString(name)
}

func calleeName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// ended says whether v may have ended before pos: its end was looked at, it was cancelled, or
// something was waited for. What is looked at in a branch that leaves the function does not count.
func ended(info *types.Info, fn inspector.Cursor, pos token.Pos, v *types.Var) Place {
	for c := range fn.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		if call.Pos() < pos && endsOrTells(info, c, call, v) && !leaves(c, fn, pos) {
			return Ended
		}
	}
	return Plain
}

func endsOrTells(info *types.Info, c inspector.Cursor, call *ast.CallExpr, v *types.Var) bool {
	if isCancel(info, call) {
		return !within[*ast.DeferStmt](c)
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	if id, ok := sel.X.(*ast.Ident); ok && info.Uses[id] == v {
		if outer, ok := c.Parent().Node().(*ast.CallExpr); ok && sel.Sel.Name == "Done" {
			return blocks(info, c.Parent(), outer)
		}
		return sel.Sel.Name == "Done" || sel.Sel.Name == "Err"
	}
	if sel.Sel.Name == "Cause" || sel.Sel.Name == "Wait" && len(call.Args) == 0 {
		return true
	}
	return uses(info, call.Args, v) && blocks(info, c, call)
}

// blocks reports whether the call looks like one that returns when its context has ended.
func blocks(info *types.Info, c inspector.Cursor, call *ast.CallExpr) bool {
	return blocking.MatchString(calleeName(call)) && onlyError(info.TypeOf(call)) && !within[*ast.GoStmt](c)
}

func isCancel(info *types.Info, call *ast.CallExpr) bool { return IsCancel(info.TypeOf(call.Fun)) }

// IsCancel reports whether t is context.CancelFunc or context.CancelCauseFunc.
func IsCancel(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != "context" {
		return false
	}
	return named.Obj().Name() == "CancelFunc" || named.Obj().Name() == "CancelCauseFunc"
}

func uses(info *types.Info, exprs []ast.Expr, v *types.Var) bool {
	for _, e := range exprs {
		if id, ok := e.(*ast.Ident); ok && info.Uses[id] == v {
			return true
		}
	}
	return false
}

func onlyError(t types.Type) bool {
	if tuple, ok := t.(*types.Tuple); ok {
		return tuple.Len() == 0
	}
	return t != nil && types.Identical(t, types.Universe.Lookup("error").Type())
}

func within[N ast.Node](c inspector.Cursor) bool {
	var zero N
	for range c.Enclosing(zero) {
		return true
	}
	return false
}

// leaves reports whether the look at the context at c stands in an if or a case that ends the
// function or the loop's round, and that does not hold pos.
func leaves(c, fn inspector.Cursor, pos token.Pos) bool {
	for up := range c.Enclosing((*ast.IfStmt)(nil), (*ast.CommClause)(nil), (*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		n := up.Node()
		var body []ast.Stmt
		switch n := n.(type) {
		case *ast.IfStmt:
			body = n.Body.List
		case *ast.CommClause:
			body = n.Body
		case *ast.FuncLit:
			if up != fn {
				continue
			}
			return false
		default:
			return false
		}
		if len(body) > 0 && exits(body[len(body)-1]) && !(n.Pos() <= pos && pos < n.End()) {
			return true
		}
	}
	return false
}

func exits(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok == token.CONTINUE
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		return ok && (calleeName(call) == "panic" || calleeName(call) == "Exit" || calleeName(call) == "Fatal")
	}
	return false
}
