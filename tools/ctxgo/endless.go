// SPDX-License-Identifier: Apache-2.0

package ctxgo

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/types/typeutil"
)

const waitPath = "k8s.io/apimachinery/pkg/util/wait"

// endless says what in the goroutine never ends, or "".
func endless(pass *analysis.Pass, call *ast.CallExpr) string {
	if lit, ok := call.Fun.(*ast.FuncLit); ok {
		return endlessBody(pass, lit.Body)
	}
	if text := endlessCall(pass, call); text != "" {
		return text
	}
	if body := bodyOf(pass, typeutil.StaticCallee(pass.TypesInfo, call)); body != nil {
		return endlessBody(pass, body)
	}
	return ""
}

// bodyOf returns the body of a function that the package declares.
func bodyOf(pass *analysis.Pass, fn *types.Func) *ast.BlockStmt {
	if fn == nil || fn.Pkg() != pass.Pkg {
		return nil
	}
	for _, f := range pass.Files {
		for _, d := range f.Decls {
			if decl, ok := d.(*ast.FuncDecl); ok && pass.TypesInfo.Defs[decl.Name] == fn.Origin() {
				return decl.Body
			}
		}
	}
	return nil
}

// endlessBody looks at the statements that are always reached.
func endlessBody(pass *analysis.Pass, body *ast.BlockStmt) string {
	for _, s := range body.List {
		label := ""
		if l, ok := s.(*ast.LabeledStmt); ok {
			label, s = l.Label.Name, l.Stmt
		}
		switch s := s.(type) {
		case *ast.ForStmt:
			if s.Cond == nil && !exits(s.Body, label) {
				return "its loop has no way out"
			}
		case *ast.RangeStmt:
			if ticks(pass, s.X) && !exits(s.Body, label) {
				return "its loop is over a ticker's channel, which nobody closes"
			}
		case *ast.SelectStmt:
			if len(s.Body.List) == 0 {
				return "it waits for nothing"
			}
		case *ast.ExprStmt:
			if call, ok := s.X.(*ast.CallExpr); ok {
				if text := endlessCall(pass, call); text != "" {
					return text
				}
			}
		}
	}
	return ""
}

// endlessCall says that a call runs until the process ends.
func endlessCall(pass *analysis.Pass, call *ast.CallExpr) string {
	if fn := typeutil.StaticCallee(pass.TypesInfo, call); is(fn, waitPath, "Forever") {
		return "wait.Forever does not return"
	}
	for _, arg := range call.Args {
		var id *ast.Ident
		switch arg := ast.Unparen(arg).(type) {
		case *ast.SelectorExpr:
			id = arg.Sel
		case *ast.Ident:
			id = arg
		default:
			continue
		}
		if is(pass.TypesInfo.Uses[id], waitPath, "NeverStop") {
			return "wait.NeverStop is never closed"
		}
	}
	return ""
}

func is(obj types.Object, path, name string) bool {
	if fn, ok := obj.(*types.Func); ok && fn == nil {
		return false
	}
	return obj != nil && obj.Pkg() != nil && obj.Pkg().Path() == path && obj.Name() == name
}

// ticks reports whether the channel is time.Tick's or a time.Ticker's.
func ticks(pass *analysis.Pass, x ast.Expr) bool {
	switch x := ast.Unparen(x).(type) {
	case *ast.CallExpr:
		return is(typeutil.StaticCallee(pass.TypesInfo, x), "time", "Tick")
	case *ast.SelectorExpr:
		t := pass.TypesInfo.TypeOf(x.X)
		if p, ok := t.(*types.Pointer); ok {
			t = p.Elem()
		}
		named, ok := types.Unalias(t).(*types.Named)
		return ok && x.Sel.Name == "C" && is(named.Obj(), "time", "Ticker")
	}
	return false
}

// exits reports whether something in the loop's body leaves the loop.
func exits(body *ast.BlockStmt, label string) bool {
	found := false
	var visit func(n ast.Node, inner bool)
	visit = func(n ast.Node, inner bool) {
		ast.Inspect(n, func(m ast.Node) bool {
			switch m := m.(type) {
			case *ast.FuncLit:
				return false
			case *ast.ReturnStmt:
				found = true
			case *ast.BranchStmt:
				found = found || leavesLoop(m, inner, label)
			case *ast.CallExpr:
				found = found || endsGoroutine(m)
			case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
				if m != n { // an unlabelled break in it is its own
					visit(m, true)
					return false
				}
			}
			return !found
		})
	}
	visit(body, false)
	return found
}

func leavesLoop(b *ast.BranchStmt, inner bool, label string) bool {
	switch {
	case b.Tok == token.GOTO:
		return true
	case b.Label != nil: // continue of an outer label leaves as well, but this loop is outermost
		return b.Tok == token.BREAK && b.Label.Name == label
	}
	return b.Tok == token.BREAK && !inner
}

// endsGoroutine reports whether the call does not return, such as os.Exit and log.Fatal.
func endsGoroutine(call *ast.CallExpr) bool {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	switch name {
	case "panic", "Exit", "Goexit", "Fatal", "Fatalf", "Fatalln", "FatalDepth", "Panic", "Panicf":
		return true
	}
	return false
}
