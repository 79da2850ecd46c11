// SPDX-License-Identifier: Apache-2.0

// Package ctxitem reports calls that are given another context than the nearest one.
package ctxitem

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/lanyard-k8s/lanyard/tools/internal/answer"
	"github.com/lanyard-k8s/lanyard/tools/internal/edit"
	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

const doc = `report calls that are given another context than the nearest one

Inside a function that is given a context, a call on the context of the function around it, or
on a package variable, is not cancelled with the work it belongs to. The same holds for the
context around an errgroup in a function that the group runs.

Silent: contexts that are detached by name, defers, clean-up code, tests and files for tests (which
name testing.T, TB, B, F or M), and a context from which the nearest one is made.`

// Analyzer is ctxitem.
var Analyzer = answer.Wrap(&analysis.Analyzer{
	Name:     "ctxitem",
	Doc:      doc,
	Requires: []*analysis.Analyzer{inspect.Analyzer},
	Run:      run,
})

func run(pass *analysis.Pass) (any, error) {
	for s := range scope.Each[*ast.CallExpr](pass) {
		if s.Test() || contextPackage(pass, s.Node) {
			continue
		}
		for _, arg := range s.Node.Args {
			if id, ok := arg.(*ast.Ident); ok {
				argument(pass, s.Cursor, id)
			}
		}
	}
	return nil, nil
}

// contextPackage reports whether the call makes one context of another.
func contextPackage(pass *analysis.Pass, call *ast.CallExpr) bool {
	t := pass.TypesInfo.TypeOf(call)
	if tuple, ok := t.(*types.Tuple); ok && tuple.Len() > 0 {
		t = tuple.At(0).Type()
	}
	return t != nil && scope.IsContext(t)
}

func argument(pass *analysis.Pass, c inspector.Cursor, id *ast.Ident) {
	v, ok := pass.TypesInfo.Uses[id].(*types.Var)
	if !ok || !scope.IsContext(v.Type()) || scope.Detached(v.Name()) {
		return
	}
	near := nearer(pass, c, v)
	if near == nil || near == v {
		return
	}
	if place := scope.Of(pass.TypesInfo, c, near); place != scope.Plain && place != scope.Closure {
		return
	}
	d := analysis.Diagnostic{
		Pos:     id.Pos(),
		End:     id.End(),
		Message: id.Name + " is not the context of the work at hand, which is " + near.Name() + ": the call goes on when that ends and is missing from its trace: write " + near.Name(),
	}
	if !edit.Generated(pass, id.Pos()) {
		d.SuggestedFixes = []analysis.SuggestedFix{{
			Message:   "Use " + near.Name(),
			TextEdits: []analysis.TextEdit{edit.Replace(id, near.Name())},
		}}
	}
	pass.Report(d)
}

// nearer returns the context that the innermost function around c is given, when v comes from
// outside of that function.
func nearer(pass *analysis.Pass, c inspector.Cursor, v *types.Var) *types.Var {
	f, ok := scope.Func(c)
	if !ok {
		return nil
	}
	near := scope.Nearest(pass.Pkg, c.Node().Pos())
	if near == nil || near.Kind() != types.ParamVar || scope.InFunc(f.Node(), v) {
		return group(pass, c, f, v)
	}
	if !scope.InFunc(f.Node(), near) {
		return nil
	}
	return near
}

// group returns the context of the errgroup that runs the literal f, if v is the one around it.
func group(pass *analysis.Pass, c, f inspector.Cursor, v *types.Var) *types.Var {
	call, ok := f.Parent().Node().(*ast.CallExpr)
	if !ok {
		return nil
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Go" && sel.Sel.Name != "TryGo" {
		return nil
	}
	g, ok := sel.X.(*ast.Ident)
	if !ok {
		return nil
	}
	made := groupContext(pass, c, pass.TypesInfo.Uses[g])
	if made == nil || made == v || scope.InFunc(f.Node(), v) {
		return nil
	}
	return made
}

// groupContext finds `g, made := errgroup.WithContext(…)`.
func groupContext(pass *analysis.Pass, c inspector.Cursor, g types.Object) *types.Var {
	decl, ok := scope.Decl(c)
	if !ok || g == nil {
		return nil
	}
	var made *types.Var
	ast.Inspect(decl, func(n ast.Node) bool {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || len(assign.Lhs) != 2 || len(assign.Rhs) != 1 {
			return true
		}
		first, ok1 := assign.Lhs[0].(*ast.Ident)
		second, ok2 := assign.Lhs[1].(*ast.Ident)
		if ok1 && ok2 && pass.TypesInfo.Defs[first] == g {
			v, isVar := pass.TypesInfo.Defs[second].(*types.Var)
			if isVar && scope.IsContext(v.Type()) {
				made = v
			}
		}
		return true
	})
	return made
}
