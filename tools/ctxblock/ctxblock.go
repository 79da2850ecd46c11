// SPDX-License-Identifier: Apache-2.0

// Package ctxblock reports blocking that does not end when the context does.
package ctxblock

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/lanyard-k8s/lanyard/tools/internal/answer"
	"github.com/lanyard-k8s/lanyard/tools/internal/edit"
	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

const doc = `report blocking that ignores the context in scope

Sleep(Duration) of anything, a bare channel receive, a select without the context's Done and the
wait functions of old hold up shutdown, loss of leadership and the next item until they are over.

Silent: sleeps shorter than a tenth of a second, joins of a goroutine that the same function
starts, channels that a call on the context has returned, Done channels of contexts also in
variables, stop channels that are parameters, the drain of a stopped timer, channels named for
stopping, clean-up code and what comes after the context's end, defers and goroutines, tests and files for tests (which name testing.T, TB, B, F or
M); where the context in scope is itself a new Background or TODO.`

// Analyzer is ctxblock.
var Analyzer = answer.Wrap(&analysis.Analyzer{
	Name:     "ctxblock",
	Doc:      doc,
	Requires: []*analysis.Analyzer{inspect.Analyzer},
	Run:      run,
})

func run(pass *analysis.Pass) (any, error) {
	root := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root()
	for c := range root.Preorder((*ast.CallExpr)(nil), (*ast.UnaryExpr)(nil), (*ast.SelectStmt)(nil)) {
		v := scope.Nearest(pass.Pkg, c.Node().Pos())
		if v == nil || edit.TestHelper(pass, c.Node().Pos()) {
			continue
		}
		if place := scope.Of(pass.TypesInfo, c, v); place != scope.Plain && place != scope.Closure {
			continue
		}
		if scope.Endless(pass.TypesInfo, c, v) {
			continue
		}
		switch n := c.Node().(type) {
		case *ast.CallExpr:
			sleep(pass, c, n, v)
			oldWait(pass, c, n, v)
		case *ast.UnaryExpr:
			receive(pass, c, n, v)
		case *ast.SelectStmt:
			choice(pass, c, n, v)
		}
	}
	return nil, nil
}

// stopWaits are the functions of k8s.io/apimachinery/pkg/util/wait that know only a channel, or
// not even that, with what takes their place.
var stopWaits = map[string]string{
	"Forever":         "UntilWithContext",
	"Until":           "UntilWithContext",
	"NonSlidingUntil": "NonSlidingUntilWithContext",
	"JitterUntil":     "JitterUntilWithContext",
	"BackoffUntil":    "BackoffUntilWithContext",
}

// oldWait reports those whose channel is not a context's: ctxsibling has the others.
func oldWait(pass *analysis.Pass, c inspector.Cursor, call *ast.CallExpr, v *types.Var) {
	fn := typeutil.StaticCallee(pass.TypesInfo, call)
	if fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != "k8s.io/apimachinery/pkg/util/wait" || fn.Signature().Recv() != nil || len(call.Args) == 0 {
		return
	}
	next, ok := stopWaits[fn.Name()]
	stop := call.Args[len(call.Args)-1]
	if !ok || given(pass, stop) || fn.Pkg().Scope().Lookup(next) == nil {
		return
	}
	if _, done := scope.DoneOf(pass.TypesInfo, c, stop); done {
		return
	}
	pass.Reportf(call.Pos(), "wait.%s does not end when %s does: write wait.%s", fn.Name(), v.Name(), next)
}

// given reports whether the stop channel is the function's own parameter: then its caller ends the
// wait by that, and the context is for something else or made of it.
func given(pass *analysis.Pass, stop ast.Expr) bool {
	id, ok := stop.(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := pass.TypesInfo.Uses[id].(*types.Var)
	return ok && v.Kind() == types.ParamVar
}
