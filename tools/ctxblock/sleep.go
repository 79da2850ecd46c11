// SPDX-License-Identifier: Apache-2.0

package ctxblock

import (
	"bytes"
	"go/ast"
	"go/constant"
	"go/format"
	"go/types"
	"strings"
	"time"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/lanyard-k8s/lanyard/tools/internal/edit"
	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

// short is a sleep that no one waits for in vain.
const short = 100 * time.Millisecond

func sleep(pass *analysis.Pass, c inspector.Cursor, call *ast.CallExpr, v *types.Var) {
	fn := sleeper(pass, call)
	if fn == nil || isShort(pass, call.Args[0]) {
		return
	}
	d := analysis.Diagnostic{
		Pos: call.Pos(),
		End: call.End(),
		Message: types.ExprString(call.Fun) + " goes on after " + v.Name() +
			" has ended: select on " + v.Name() + ".Done() and a timer",
	}
	if fix, ok := selectFix(pass, c, call, fn, v); ok {
		d.SuggestedFixes = []analysis.SuggestedFix{fix}
	}
	pass.Report(d)
}

// sleeper returns the function called if it is a Sleep(time.Duration).
func sleeper(pass *analysis.Pass, call *ast.CallExpr) *types.Func {
	var id *ast.Ident
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		id = f.Sel
	case *ast.Ident:
		id = f
	default:
		return nil
	}
	fn, ok := pass.TypesInfo.Uses[id].(*types.Func)
	if !ok || fn.Name() != "Sleep" || len(call.Args) != 1 {
		return nil
	}
	params := fn.Signature().Params()
	if params.Len() != 1 || params.At(0).Type().String() != "time.Duration" {
		return nil
	}
	return fn
}

func isShort(pass *analysis.Pass, e ast.Expr) bool {
	value := pass.TypesInfo.Types[e].Value
	if value == nil {
		return false
	}
	n, ok := constant.Int64Val(constant.ToInt(value))
	return ok && time.Duration(n) < short
}

// selectFix is for time.Sleep in functions that return nothing or an error.
func selectFix(pass *analysis.Pass, c inspector.Cursor, call *ast.CallExpr, fn *types.Func, v *types.Var) (analysis.SuggestedFix, bool) {
	stmt, ok := c.Parent().Node().(*ast.ExprStmt)
	if !ok || fn.Pkg() == nil || fn.Pkg().Path() != "time" || edit.Generated(pass, call.Pos()) {
		return analysis.SuggestedFix{}, false
	}
	leave, ok := leave(pass, c, v)
	timePkg := edit.Import(pass, call.Pos(), "time")
	if !ok || timePkg == "" {
		return analysis.SuggestedFix{}, false
	}
	var d bytes.Buffer
	if format.Node(&d, pass.Fset, call.Args[0]) != nil {
		return analysis.SuggestedFix{}, false
	}
	tabs := "\n" + indent(pass, stmt)
	text := "select {" + tabs + "case <-" + v.Name() + ".Done():" + tabs + "\t" + leave +
		tabs + "case <-" + timePkg + ".After(" + d.String() + "):" + tabs + "}"
	return analysis.SuggestedFix{
		Message:   "End with " + v.Name(),
		TextEdits: []analysis.TextEdit{edit.Replace(stmt, text)},
	}, true
}

// leave returns the statement that leaves the function because v has ended.
func leave(pass *analysis.Pass, c inspector.Cursor, v *types.Var) (string, bool) {
	f, ok := scope.Func(c)
	if !ok || !scope.InFunc(f.Node(), v) {
		return "", false
	}
	var sig *ast.FuncType
	switch n := f.Node().(type) {
	case *ast.FuncDecl:
		sig = n.Type
	case *ast.FuncLit:
		sig = n.Type
	}
	if sig.Results == nil {
		return "return", true
	}
	if sig.Results.NumFields() != 1 || types.ExprString(sig.Results.List[0].Type) != "error" {
		return "", false
	}
	name := edit.Import(pass, c.Node().Pos(), "context")
	return "return " + name + ".Cause(" + v.Name() + ")", name != ""
}

func indent(pass *analysis.Pass, n ast.Node) string {
	at := pass.Fset.Position(n.Pos())
	src, err := pass.ReadFile(at.Filename)
	if err != nil {
		return ""
	}
	line := string(src[at.Offset-at.Column+1 : at.Offset])
	return line[:len(line)-len(strings.TrimLeft(line, "\t"))]
}
