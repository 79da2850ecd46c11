// SPDX-License-Identifier: Apache-2.0

// Package ctxhandler reports calls in event handlers that nothing limits.
package ctxhandler

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

const doc = `report calls in event handlers that nothing limits

An informer calls a handler for one event after the other. A call on context.Background or
context.TODO that hangs holds up all later events, for good, and shutdown as well. A handler
enqueues the object; the call belongs where the object is reconciled.

It looks at the functions of cache.ResourceEventHandlerFuncs and its relatives, at methods OnAdd,
OnUpdate and OnDelete, and at what these call in the same package.

Silent: calls that return no error, which do not wait for anything; contexts with a time limit;
goroutines; tests and files for tests (which name testing.T, TB, B, F or M).`

// Analyzer is ctxhandler.
var Analyzer = answer.Wrap(&analysis.Analyzer{
	Name:     "ctxhandler",
	Doc:      doc,
	Requires: []*analysis.Analyzer{inspect.Analyzer},
	Run:      run,
})

func run(pass *analysis.Pass) (any, error) {
	root := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root()
	f := finder{pass, map[*types.Func]inspector.Cursor{}, map[ast.Node]bool{}}
	for c := range root.Preorder((*ast.FuncDecl)(nil)) {
		if fn, ok := pass.TypesInfo.Defs[c.Node().(*ast.FuncDecl).Name].(*types.Func); ok {
			f.declared[fn] = c
		}
	}
	for _, h := range f.handlers(root) {
		f.follow(h.Cursor, h.name)
	}
	return nil, nil
}

type finder struct {
	*analysis.Pass
	declared map[*types.Func]inspector.Cursor
	seen     map[ast.Node]bool
}

// follow reports the calls in the function at c and in those that it calls.
func (f finder) follow(c inspector.Cursor, chain string) {
	if f.seen[c.Node()] {
		return
	}
	f.seen[c.Node()] = true
	c.Inspect([]ast.Node{(*ast.GoStmt)(nil), (*ast.CallExpr)(nil)}, func(at inspector.Cursor) bool {
		call, ok := at.Node().(*ast.CallExpr)
		if !ok {
			return false // a goroutine holds up nothing
		}
		if f.unlimited(at, call) {
			f.Reportf(call.Pos(), "nothing limits this call in an event handler (%s): while it hangs, no further event is delivered: enqueue the object and make the call where it is reconciled, or give the call a context with a time limit", chain)
		}
		if fn := typeutil.StaticCallee(f.TypesInfo, call); fn != nil {
			if next, ok := f.declared[fn.Origin()]; ok {
				f.follow(next, chain+" → "+fn.Name())
			}
		}
		return true
	})
}

// unlimited reports whether the call may fail and runs on a context that is new and bare.
func (f finder) unlimited(c inspector.Cursor, call *ast.CallExpr) bool {
	sig, ok := f.TypesInfo.TypeOf(call.Fun).(*types.Signature)
	if !ok || len(call.Args) == 0 || !scope.TakesContext(sig) || !fails(sig) {
		return false
	}
	if edit.TestHelper(f.Pass, call.Pos()) {
		return false
	}
	switch arg := ast.Unparen(call.Args[0]).(type) {
	case *ast.CallExpr:
		return scope.NewContext(f.TypesInfo, arg) != ""
	case *ast.Ident:
		v, ok := f.TypesInfo.Uses[arg].(*types.Var)
		return ok && scope.Endless(f.TypesInfo, c, v)
	}
	return false
}

func fails(sig *types.Signature) bool {
	for v := range sig.Results().Variables() {
		if types.Identical(v.Type(), types.Universe.Lookup("error").Type()) {
			return true
		}
	}
	return false
}
