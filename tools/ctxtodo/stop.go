// SPDX-License-Identifier: Apache-2.0

package ctxtodo

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"

	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

// stopped reports a new context in a function that is told to end by a channel: the channel does not
// end it. What runs in a goroutine is ctxgo's, and a plain TODO is ctxplumb's.
func stopped(pass *analysis.Pass, s scope.Site[*ast.CallExpr], made string) {
	stop := scope.Stop(pass.Pkg, s.Cursor)
	if stop == nil || stop.Kind() != types.ParamVar || s.Test() {
		return
	}
	if root(pass, s.Cursor) || scope.Cancels(pass.TypesInfo, s.Cursor) || scope.After(pass.TypesInfo, s.Cursor, stop) {
		return
	}
	place := scope.Of(pass.TypesInfo, s.Cursor, stop)
	if place == scope.Closure || place == scope.Plain && made == "Background" {
		pass.Reportf(s.Node.Pos(), "context.%s() does not end when %s is closed: give the function a context in place of %[2]s, or make one of it with wait.ContextForChannel", made, stop.Name())
	}
}
