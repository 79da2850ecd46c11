// SPDX-License-Identifier: Apache-2.0

// Package ctxlanyard reports informers that a program of Lanyard runs itself.
package ctxlanyard

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/lanyard-k8s/lanyard/tools/internal/answer"
	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

const doc = `report informers that a program of Lanyard runs itself

In a package that imports github.com/lanyard-k8s/lanyard/controller the manager runs the informers:
it waits for their caches, watches over them, and ends them when the workers have ended. An informer
that the program starts is not the manager's, and its cache goes stale when its context ends.

It reports the start of an informer or of a factory, and the wait for their caches.

Silent: tests and files for tests (which name testing.T, TB, B, F or M).`

const (
	lanyardPath = "github.com/lanyard-k8s/lanyard/controller"
	cachePath   = "k8s.io/client-go/tools/cache"
)

// Analyzer is ctxlanyard.
var Analyzer = answer.Wrap(&analysis.Analyzer{
	Name:     "ctxlanyard",
	Doc:      doc,
	Requires: []*analysis.Analyzer{inspect.Analyzer},
	Run:      run,
})

func run(pass *analysis.Pass) (any, error) {
	for s := range scope.Each[*ast.CallExpr](pass) {
		if advice := Advice(pass, s.Node); advice != "" && !s.Test() {
			pass.Reportf(s.Node.Pos(), "the manager runs the informers: %s", advice)
		}
	}
	return nil, nil
}

// Advice says what a program of Lanyard does in place of a call that starts or awaits informers. It is
// empty for other calls, and in packages that do not use Lanyard.
func Advice(pass *analysis.Pass, call *ast.CallExpr) string {
	if !usesLanyard(pass.Pkg) {
		return ""
	}
	fn, ok := typeutil.Callee(pass.TypesInfo, call).(*types.Func)
	if !ok || fn.Pkg() == nil {
		return ""
	}
	name := types.ExprString(call.Fun)
	switch what := kind(pass, call, fn); what {
	case "factory":
		return "one that " + name + " starts is not the manager's: give it the factory with controller.AddFactory(m, factory)"
	case "informer":
		return "one that " + name + " starts is not the manager's: give it the informer with controller.New, controller.Owns, controller.Watches or m.AddInformer"
	case "wait":
		return "it also waits for their caches before anything reconciles: remove " + name + ", and give the manager the factory with controller.AddFactory(m, factory), or each informer"
	}
	return ""
}

func usesLanyard(pkg *types.Package) bool {
	for _, imported := range pkg.Imports() {
		if imported.Path() == lanyardPath {
			return true
		}
	}
	return false
}

// kind says what the call does with informers: "factory" and "informer" start them, "wait" waits.
func kind(pass *analysis.Pass, call *ast.CallExpr, fn *types.Func) string {
	name := strings.TrimSuffix(fn.Name(), "WithContext")
	recv := fn.Signature().Recv()
	if recv == nil {
		waits := name == "WaitForCacheSync" || name == "WaitForNamedCacheSync" || name == "WaitFor"
		if fn.Pkg().Path() == cachePath && waits {
			return "wait"
		}
		return ""
	}
	switch {
	case fn.Pkg().Path() == cachePath && name == "Run" && types.IsInterface(recv.Type()):
		return "informer"
	case !ofFactory(pass, call):
		return ""
	case name == "Start":
		return "factory"
	case name == "WaitForCacheSync":
		return "wait"
	}
	return ""
}

// ofFactory reports whether a method of a factory of informers is called: those that are generated,
// and client-go's dynamic and metadata ones, have this in their names.
func ofFactory(pass *analysis.Pass, call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	t := pass.TypesInfo.TypeOf(sel.X)
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && strings.HasSuffix(named.Obj().Name(), "SharedInformerFactory")
}
