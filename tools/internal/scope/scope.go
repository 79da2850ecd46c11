// SPDX-License-Identifier: Apache-2.0

// Package scope answers which context a piece of code has at hand, and whether it may use it.
package scope

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"

	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

// IsContext reports whether t is context.Context.
func IsContext(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Context" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "context"
}

// ActsAsContext reports whether values of t, or pointers to them, have the methods of a context.
func ActsAsContext(t types.Type) bool {
	for _, name := range []string{"Deadline", "Done", "Err", "Value"} {
		m, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
		if _, ok := m.(*types.Func); !ok {
			return false
		}
	}
	return true
}

// detached are names that say: this context does not end with the work.
var detached = regexp.MustCompile(`(?i)shutdown|clean|release|detach|stop|teardown|background`)

// Detached reports whether a variable's name says that it is apart from the work's context.
func Detached(name string) bool { return detached.MatchString(name) }

// Nearest returns the innermost variable of type context.Context that code at pos can name, or
// nil. Package variables, results and contexts that are detached by name do not count.
func Nearest(pkg *types.Package, pos token.Pos) *types.Var {
	inner := innermost(pkg, pos)
	for s := inner; s != nil && s != pkg.Scope() && s != types.Universe; s = s.Parent() {
		var best *types.Var
		for _, name := range s.Names() {
			v := candidate(inner, s, name, pos)
			if v != nil && (best == nil || v.Pos() > best.Pos()) {
				best = v
			}
		}
		if best != nil {
			return best
		}
	}
	return nil
}

func innermost(pkg *types.Package, pos token.Pos) *types.Scope {
	if pkg == nil {
		return nil
	}
	for i := range pkg.Scope().NumChildren() {
		if file := pkg.Scope().Child(i); file.Contains(pos) {
			return file.Innermost(pos)
		}
	}
	return nil
}

func candidate(inner, s *types.Scope, name string, pos token.Pos) *types.Var {
	v, ok := s.Lookup(name).(*types.Var)
	if !ok || !IsContext(v.Type()) || v.Kind() == types.ResultVar || detached.MatchString(name) {
		return nil
	}
	if _, visible := inner.LookupParent(name, pos); visible != v {
		return nil
	}
	return v
}

// TakesContext reports whether the function's signature has a context anywhere.
func TakesContext(sig *types.Signature) bool { return Param(sig) != nil }

// Param returns the function's context parameter, or nil. It may be blank.
func Param(sig *types.Signature) *types.Var {
	for v := range sig.Params().Variables() {
		if IsContext(v.Type()) {
			return v
		}
	}
	return nil
}

// NewContext returns "TODO" or "Background" when the call makes a context out of thin air.
func NewContext(info *types.Info, call *ast.CallExpr) string {
	fn := typeutil.StaticCallee(info, call)
	if fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != "context" {
		return ""
	}
	if fn.Name() == "TODO" || fn.Name() == "Background" {
		return fn.Name()
	}
	return ""
}

// Func returns the innermost function, declared or literal, around c.
func Func(c inspector.Cursor) (inspector.Cursor, bool) {
	for f := range c.Enclosing((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		if f.Node() != c.Node() {
			return f, true
		}
	}
	return inspector.Cursor{}, false
}

// Decl returns the function declaration around c.
func Decl(c inspector.Cursor) (*ast.FuncDecl, bool) {
	for f := range c.Enclosing((*ast.FuncDecl)(nil)) {
		return f.Node().(*ast.FuncDecl), true
	}
	return nil, false
}

// Declares reports whether the function's parameters or outermost block already name a variable so.
func Declares(info *types.Info, fn *ast.FuncType, name string) bool {
	s := info.Scopes[fn]
	return s == nil || s.Lookup(name) != nil
}

// InFunc reports whether v is a parameter or a local variable of this function, not of one around it.
func InFunc(fn ast.Node, v *types.Var) bool { return fn.Pos() <= v.Pos() && v.Pos() < fn.End() }
