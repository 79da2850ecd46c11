// SPDX-License-Identifier: Apache-2.0

package scope

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"

	"golang.org/x/tools/go/ast/inspector"
)

// DoneOf reports whether the channel e, used at c, is the Done channel of a context, also through a
// local variable that is nothing else. It returns the context if that is a variable, else nil.
func DoneOf(info *types.Info, c inspector.Cursor, e ast.Expr) (*types.Var, bool) {
	e = ast.Unparen(e)
	if id, ok := e.(*ast.Ident); ok {
		if e = onlyValue(info, c, info.Uses[id]); e == nil {
			return nil, false
		}
	}
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return nil, false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Done" || info.TypeOf(sel.X) == nil || !IsContext(info.TypeOf(sel.X)) {
		return nil, false
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return nil, true
	}
	v, _ := info.Uses[id].(*types.Var)
	return v, true
}

// onlyValue returns what the local variable is declared with, if nothing else is assigned to it.
func onlyValue(info *types.Info, c inspector.Cursor, obj types.Object) (value ast.Expr) {
	decl, ok := Decl(c)
	if v, isVar := obj.(*types.Var); !ok || !isVar || v.Kind() != types.LocalVar {
		return nil
	}
	count := 0
	set := func(names []ast.Expr, values []ast.Expr) {
		for i, name := range names {
			if id, ok := name.(*ast.Ident); ok && info.ObjectOf(id) == obj {
				count++
				if len(names) == len(values) {
					value = ast.Unparen(values[i])
				}
			}
		}
	}
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			set(n.Lhs, n.Rhs)
		case *ast.ValueSpec:
			var names []ast.Expr
			for _, id := range n.Names {
				names = append(names, id)
			}
			set(names, n.Values)
		}
		return true
	})
	if count != 1 {
		return nil
	}
	return value
}

// StopName matches the names of channels that are there to end something.
var StopName = regexp.MustCompile(`(?i)done|stop|quit|exit|clos|shutdown|cancel|term|sig`)

// Stop returns the innermost variable that code at c can name and that is a channel which ends
// something: it carries no values, is named so, and can be received from.
func Stop(pkg *types.Package, c inspector.Cursor) *types.Var {
	inner := innermost(pkg, c.Node().Pos())
	for s := inner; s != nil && s != pkg.Scope() && s != types.Universe; s = s.Parent() {
		for _, name := range s.Names() {
			v, ok := s.Lookup(name).(*types.Var)
			if !ok || !IsStop(v.Type()) || !StopName.MatchString(name) || v.Kind() == types.ResultVar {
				continue
			}
			if _, visible := inner.LookupParent(name, c.Node().Pos()); visible == v {
				return v
			}
		}
	}
	return nil
}

// IsStop reports whether t is a channel of empty structs that can be received from.
func IsStop(t types.Type) bool {
	ch, ok := t.Underlying().(*types.Chan)
	return ok && ch.Dir() != types.SendOnly && types.Identical(ch.Elem(), types.NewStruct(nil, nil))
}

// Waits reports whether the node receives from the channel v, in a select or not. Function literals
// in it do not count.
func Waits(info *types.Info, n ast.Node, v *types.Var) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.UnaryExpr:
			id, ok := ast.Unparen(n.X).(*ast.Ident)
			found = found || ok && n.Op == token.ARROW && info.Uses[id] == v
		}
		return !found
	})
	return found
}

// After reports whether the code at c runs after its function has received from the channel v. What
// is received in a branch that leaves the function does not count.
func After(info *types.Info, c inspector.Cursor, v *types.Var) bool {
	fn, ok := Func(c)
	if !ok {
		return false
	}
	for at := range fn.Preorder((*ast.UnaryExpr)(nil)) {
		n := at.Node().(*ast.UnaryExpr)
		if n.Pos() < c.Node().Pos() && Waits(info, n, v) && !leaves(at, fn, c.Node().Pos()) {
			return true
		}
	}
	return false
}

// Cancels reports whether the new context made at c goes to a call that returns a function which
// cancels it: then somebody ends it.
func Cancels(info *types.Info, c inspector.Cursor) bool {
	with, ok := c.Parent().Node().(*ast.CallExpr)
	if !ok {
		return false
	}
	made, ok := info.TypeOf(with).(*types.Tuple)
	return ok && made.Len() == 2 && IsCancel(made.At(1).Type())
}
