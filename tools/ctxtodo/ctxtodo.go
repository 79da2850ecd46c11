// SPDX-License-Identifier: Apache-2.0

// Package ctxtodo reports contexts made out of thin air where a real one is in scope.
package ctxtodo

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

const doc = `report context.TODO and context.Background where a context is in scope

A call on a new context is not cancelled when its caller is, keeps no deadline and loses the
trace and every other value. A TODO is replaced by the context in scope, unless it stands where
that one may have ended: in a defer, in a goroutine, in a function literal, in clean-up or lease
code, or after its end was looked at. There, write context.WithoutCancel and a time limit.

A function that is given a context as _ or without a name has one as well. The fix names the
parameter and writes it in place of TODOs; a Background is left to a person.

A function that is told to end by a channel such as stopCh, and is given no context, needs one that
ends with the channel: a new one in it does not.

Silent: Background in such places, in tests and in files for tests (which name testing.T, TB, B, F
or M), under a cancel function that is stored or handed on, in a comparison, in functions that
return a context and in calls whose own context is dropped (the root of a trace), where it is meant;
the default for a nil context; where the one in scope is itself a new Background or TODO, which is
no better.`

// Analyzer is ctxtodo.
var Analyzer = answer.Wrap(&analysis.Analyzer{
	Name:     "ctxtodo",
	Doc:      doc,
	Requires: []*analysis.Analyzer{inspect.Analyzer},
	Run:      run,
})

func run(pass *analysis.Pass) (any, error) {
	dropped := &unnamed{pass: pass, by: map[ast.Node]*dropped{}}
	for s := range scope.Each[*ast.CallExpr](pass) {
		made := scope.NewContext(pass.TypesInfo, s.Node)
		if made == "" {
			continue
		}
		if f, ok := scope.UnnamedAt(pass, s.Cursor); ok {
			dropped.add(s, made, f)
			continue
		}
		switch v := s.Nearest(); {
		case v == nil:
			stopped(pass, s, made)
		case !scope.Endless(pass.TypesInfo, s.Cursor, v):
			report(pass, s.Cursor, s.Node, made, v)
		}
	}
	dropped.report()
	return nil, nil
}

func report(pass *analysis.Pass, c inspector.Cursor, call *ast.CallExpr, made string, v *types.Var) {
	place := scope.Of(pass.TypesInfo, c, v)
	self := assignsTo(pass, c, v)
	owned := scope.Owned(pass.TypesInfo, c)
	switch {
	case self && made == "Background", nilDefault(pass, c, v):
	case made == "Background" && (owned || root(pass, c)):
	case made == "Background" && (place != scope.Plain || edit.TestHelper(pass, call.Pos())):
	case made == "Background":
		pass.Reportf(call.Pos(), "context.Background() is not cancelled with %[1]s, which is in scope, and has none of its values: write %[1]s, or context.WithoutCancel(%[1]s) if this must outlive it", v.Name())
	case owned && becomes(pass, c, v):
	case owned:
		pass.Reportf(call.Pos(), "context.TODO() under a cancel function that is kept has none of %[1]s's values: write context.WithoutCancel(%[1]s), or %[1]s if its owner is gone before that ends", v.Name())
	case place == scope.Closure:
		pass.Reportf(call.Pos(), "context.TODO() %s is not cancelled with %[2]s: write %[2]s if the literal has returned before %[2]s ends, else context.WithoutCancel(%[2]s) with a time limit", place, v.Name())
	case place == scope.Started:
		pass.Reportf(call.Pos(), "context.TODO() %s is not cancelled with %[2]s: write %[2]s if the goroutine is joined before %[2]s ends, else context.WithoutCancel(%[2]s) with a time limit", place, v.Name())
	case place != scope.Plain:
		pass.Reportf(call.Pos(), "context.TODO() %s has no time limit and no values, but %[2]s may be over here: write context.WithoutCancel(%[2]s) with a time limit", place, v.Name())
	default:
		pass.Report(diagnose(pass, call, v, self))
	}
}

func diagnose(pass *analysis.Pass, call *ast.CallExpr, v *types.Var, self bool) analysis.Diagnostic {
	d := analysis.Diagnostic{
		Pos:     call.Pos(),
		End:     call.End(),
		Message: "context.TODO() is not cancelled with " + v.Name() + ", which is in scope, and has none of its values: write " + v.Name(),
	}
	if !self && !edit.Generated(pass, call.Pos()) {
		d.SuggestedFixes = []analysis.SuggestedFix{{
			Message:   "Use " + v.Name(),
			TextEdits: []analysis.TextEdit{edit.Replace(call, v.Name())},
		}}
	}
	return d
}

// becomes reports whether the local variable v is what the new context is kept in.
func becomes(pass *analysis.Pass, c inspector.Cursor, v *types.Var) bool {
	return v.Kind() == types.LocalVar && assignsTo(pass, c.Parent(), v)
}

// root reports whether a Background is no one's context: it is compared with, is what the function
// is there to make a context of, or starts a trace whose context is dropped.
func root(pass *analysis.Pass, c inspector.Cursor) bool {
	if f, ok := scope.Func(c); ok {
		sig, isSig := pass.TypesInfo.TypeOf(signature(f.Node())).(*types.Signature)
		if isSig && sig.Results().Len() > 0 && scope.IsContext(sig.Results().At(0).Type()) {
			return true
		}
	}
	switch n := c.Parent().Node().(type) {
	case *ast.BinaryExpr:
		return true
	case *ast.CallExpr:
		made, ok := pass.TypesInfo.TypeOf(n).(*types.Tuple)
		assign, assigns := c.Parent().Parent().Node().(*ast.AssignStmt)
		if !ok || !assigns || made.Len() != len(assign.Lhs) || !scope.IsContext(made.At(0).Type()) {
			return false
		}
		id, ok := assign.Lhs[0].(*ast.Ident)
		return ok && id.Name == "_"
	}
	return false
}

func signature(f ast.Node) ast.Expr {
	if lit, ok := f.(*ast.FuncLit); ok {
		return lit.Type
	}
	return f.(*ast.FuncDecl).Name
}

// assignsTo reports whether the new context is what v becomes.
func assignsTo(pass *analysis.Pass, c inspector.Cursor, v *types.Var) bool {
	assign, ok := c.Parent().Node().(*ast.AssignStmt)
	if !ok {
		return false
	}
	for _, lhs := range assign.Lhs {
		if id, ok := lhs.(*ast.Ident); ok && pass.TypesInfo.Uses[id] == v {
			return true
		}
	}
	return false
}

// nilDefault reports whether the code at c runs only if v is nil.
func nilDefault(pass *analysis.Pass, c inspector.Cursor, v *types.Var) bool {
	for up := range c.Enclosing((*ast.IfStmt)(nil)) {
		if cond, ok := up.Node().(*ast.IfStmt).Cond.(*ast.BinaryExpr); ok {
			id, isIdent := cond.X.(*ast.Ident)
			if isIdent && pass.TypesInfo.Uses[id] == v && pass.TypesInfo.Types[cond.Y].IsNil() {
				return true
			}
		}
	}
	return false
}
