// SPDX-License-Identifier: Apache-2.0

// Package ctxgo reports goroutines that outlive the work that started them.
package ctxgo

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/lanyard-k8s/lanyard/tools/internal/answer"
	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

const doc = `report goroutines that are not joined by the function whose context they use

A function that is given a context and starts a goroutine on it returns before the goroutine
does: work goes on after shutdown was reported as done, or after the lease was given up. A
goroutine on context.Background is not even told to end; nor is one in a function that is told by a
channel such as stopCh.

A goroutine with a loop that has no way out, over a ticker or on wait.NeverStop runs until the
process ends.

It looks at functions that wait for a context's end and at those that by their name handle an item
(reconcile, sync, handle, process). With -ctxgo.all it looks at all; many of the others are there to
start something and to return.

Silent: a goroutine that tells a WaitGroup, closes or sends on a channel, or is handed one of
these; one that waits for the context's end before it does anything; main, tests, and files for
tests (which name testing.T, TB, B, F or M); constructors on a context that they are given, as the
goroutine belongs to what they return; where the context in scope is itself a new Background or
TODO.`

// Analyzer is ctxgo.
var Analyzer = answer.Wrap(newAnalyzer())

func newAnalyzer() *analysis.Analyzer {
	a := &analysis.Analyzer{Name: "ctxgo", Doc: doc, Requires: []*analysis.Analyzer{inspect.Analyzer}}
	all := a.Flags.Bool("all", false, "look at all functions, also at those that return before their context ends")
	a.Run = func(pass *analysis.Pass) (any, error) {
		run(pass, *all)
		return nil, nil
	}
	return a
}

func run(pass *analysis.Pass, all bool) {
	for s := range scope.Each[*ast.GoStmt](pass) {
		if s.Test() || inMain(pass, s.Cursor) {
			continue
		}
		if why := endless(pass, s.Node.Call); why != "" {
			pass.Reportf(s.Node.Pos(), "nothing ends this goroutine: %s: %s", why, ending(pass, s))
			continue
		}
		switch v := s.Nearest(); {
		case v == nil && !dropped(pass, s, all):
			deaf(pass, s)
		case v == nil:
		case !scope.Endless(pass.TypesInfo, s.Cursor, v):
			onContext(pass, s, v, all)
		}
	}
}

// ending says how the goroutine can be ended.
func ending(pass *analysis.Pass, s scope.Site[*ast.GoStmt]) string {
	if v := s.Nearest(); v != nil {
		return "end it with " + v.Name() + " and join it"
	}
	if stop := scope.Stop(pass.Pkg, s.Cursor); stop != nil {
		return "end it with " + stop.Name() + " and join it"
	}
	return "give it a context, and join it"
}

// dropped reports a goroutine on a new context in a function that is given one as _.
func dropped(pass *analysis.Pass, s scope.Site[*ast.GoStmt], all bool) bool {
	if _, ok := scope.UnnamedAt(pass, s.Cursor); !ok || !madeUp(pass, s.Cursor, true) || !all && !stays(pass, s.Cursor) {
		return false
	}
	pass.Reportf(s.Node.Pos(), "this goroutine runs on a context that never ends, although the function is given one, as _: name the parameter ctx, pass ctx and join the goroutine")
	return true
}

// deaf reports a goroutine on a new context where a channel tells the function to end.
func deaf(pass *analysis.Pass, s scope.Site[*ast.GoStmt]) {
	stop := scope.Stop(pass.Pkg, s.Cursor)
	if stop == nil || scope.After(pass.TypesInfo, s.Cursor, stop) || !madeUp(pass, s.Cursor, true) {
		return
	}
	if lit, ok := s.Node.Call.Fun.(*ast.FuncLit); ok && scope.Waits(pass.TypesInfo, lit.Body, stop) {
		return
	}
	pass.Reportf(s.Node.Pos(), "this goroutine runs on a context that does not end when %s is closed: give the function a context in place of %[1]s, or make one of it with wait.ContextForChannel", stop.Name())
}

// onContext reports a goroutine where the context v is in scope.
func onContext(pass *analysis.Pass, s scope.Site[*ast.GoStmt], v *types.Var, all bool) {
	stmt := s.Node
	if watches(pass, stmt) || !all && !stays(pass, s.Cursor) {
		return
	}
	if madeUp(pass, s.Cursor, false) {
		pass.Reportf(stmt.Pos(), "this goroutine runs on a context that never ends, although %s is in scope: nothing tells it to stop at shutdown: pass %[1]s and join it", v.Name())
		return
	}
	if v.Kind() == types.ParamVar && uses(pass, stmt, v) && !joined(pass, stmt) && !constructs(s.Cursor) {
		pass.Reportf(stmt.Pos(), "nothing waits for this goroutine, which uses %s: it may still run when the function, and what it holds a lease for, is over: join it with a sync.WaitGroup or an errgroup before returning", v.Name())
	}
}

var item = regexp.MustCompile(`(?i)reconcil|^sync|^handle|^process`)

// stays reports whether the function handles an item or waits for a context's end: then its caller
// takes what it started to be over when it returns.
func stays(pass *analysis.Pass, c inspector.Cursor) bool {
	decl, ok := scope.Decl(c)
	if !ok || item.MatchString(decl.Name.Name) {
		return ok
	}
	found := false
	ast.Inspect(decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW && isDone(pass, n.X)
		}
		return !found
	})
	return found
}

var constructor = regexp.MustCompile(`^([nN]ew|[cC]reate|[mM]ake)`)

// constructs reports whether the function is there to return something: a goroutine that it
// starts belongs to that, and cannot be joined before it is returned.
func constructs(c inspector.Cursor) bool {
	decl, ok := scope.Decl(c)
	if !ok || !constructor.MatchString(decl.Name.Name) || decl.Type.Results == nil {
		return false
	}
	return types.ExprString(decl.Type.Results.List[0].Type) != "error"
}

// inMain reports whether the goroutine is the process's own, started by main or init.
func inMain(pass *analysis.Pass, c inspector.Cursor) bool {
	decl, ok := scope.Decl(c)
	return ok && decl.Recv == nil && (pass.Pkg.Name() == "main" && decl.Name.Name == "main" || decl.Name.Name == "init")
}

// madeUp reports whether the goroutine gets or makes a Background or a TODO; with bare, one that is
// not under a cancel function.
func madeUp(pass *analysis.Pass, c inspector.Cursor, bare bool) bool {
	for call := range c.Preorder((*ast.CallExpr)(nil)) {
		made := scope.NewContext(pass.TypesInfo, call.Node().(*ast.CallExpr)) != ""
		if made && !(bare && scope.Cancels(pass.TypesInfo, call)) {
			return true
		}
	}
	return false
}

func uses(pass *analysis.Pass, stmt *ast.GoStmt, v *types.Var) bool {
	found := false
	ast.Inspect(stmt, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && pass.TypesInfo.Uses[id] == v {
			found = true
		}
		return !found
	})
	return found
}

// watches reports whether the goroutine first waits for a context's end: it ends with it.
func watches(pass *analysis.Pass, stmt *ast.GoStmt) bool {
	lit, ok := stmt.Call.Fun.(*ast.FuncLit)
	if !ok {
		return false
	}
	for _, s := range lit.Body.List {
		switch s := s.(type) {
		case *ast.DeferStmt:
			continue
		case *ast.ExprStmt:
			if receive, ok := s.X.(*ast.UnaryExpr); ok && receive.Op == token.ARROW {
				return isDone(pass, receive.X)
			}
			return false
		case *ast.SelectStmt:
			return selectsDone(pass, s) && len(lit.Body.List) == 1
		default:
			return false
		}
	}
	return false
}

func isDone(pass *analysis.Pass, e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Done" && scope.IsContext(pass.TypesInfo.TypeOf(sel.X))
}

func selectsDone(pass *analysis.Pass, s *ast.SelectStmt) bool {
	for _, clause := range s.Body.List {
		expr, ok := clause.(*ast.CommClause).Comm.(*ast.ExprStmt)
		if !ok {
			continue
		}
		if receive, ok := expr.X.(*ast.UnaryExpr); ok && isDone(pass, receive.X) {
			return true
		}
	}
	return false
}

// joined reports whether the goroutine tells someone that it has ended.
func joined(pass *analysis.Pass, stmt *ast.GoStmt) bool {
	for _, arg := range stmt.Call.Args {
		if tells(pass.TypesInfo.TypeOf(arg)) {
			return true
		}
	}
	// All of the call, not only what is called: go wait.Until(func() { work(); wg.Done() }, …) tells too.
	found := false
	ast.Inspect(stmt.Call, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SendStmt:
			found = true
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "close" {
				found = true
			}
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Done" && !scope.IsContext(pass.TypesInfo.TypeOf(sel.X)) {
				found = true
			}
		}
		return !found
	})
	return found
}

// tells reports whether a value of this type can carry the end of a goroutine to its starter.
func tells(t types.Type) bool {
	if t == nil {
		return false
	}
	if ch, ok := t.Underlying().(*types.Chan); ok {
		return ch.Dir() != types.RecvOnly
	}
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && (named.Obj().Name() == "WaitGroup" || named.Obj().Name() == "Group")
}
