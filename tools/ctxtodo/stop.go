// SPDX-License-Identifier: Apache-2.0

package ctxtodo

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

// stopped reports a new context in a function that is told to end by a channel: the channel does not
// end it. What runs in a goroutine is ctxgo's, and a plain TODO is ctxplumb's.
func stopped(pass *analysis.Pass, s scope.Site[*ast.CallExpr], made string) {
	stop := scope.Stop(pass.Pkg, s.Cursor)
	if stop == nil || stop.Kind() != types.ParamVar || s.Test() {
		return
	}
	if root(pass, s.Cursor) || logs(pass, s.Cursor) || scope.Cancels(pass.TypesInfo, s.Cursor) || scope.After(pass.TypesInfo, s.Cursor, stop) {
		return
	}
	place := scope.Of(pass.TypesInfo, s.Cursor, stop)
	if place == scope.Closure || place == scope.Plain && made == "Background" {
		pass.Reportf(s.Node.Pos(), "context.%s() does not end when %s is closed: give the function a context in place of %[2]s, or make one of it with wait.ContextForChannel", made, stop.Name())
	}
}

// logging are packages whose functions take a context for its logger, and wait for nothing.
var logging = map[string]bool{
	"k8s.io/apimachinery/pkg/util/runtime": true,
	"k8s.io/klog/v2":                       true,
	"github.com/go-logr/logr":              true,
	"log/slog":                             true,
}

// logs reports whether the new context at c is for a logger.
func logs(pass *analysis.Pass, c inspector.Cursor) bool {
	call, ok := c.Parent().Node().(*ast.CallExpr)
	if !ok {
		return false
	}
	fn := typeutil.Callee(pass.TypesInfo, call)
	return fn != nil && fn.Pkg() != nil && logging[fn.Pkg().Path()]
}
