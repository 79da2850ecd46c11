// SPDX-License-Identifier: Apache-2.0

// Package ctxargs repairs calls that no longer compile since KEP-1601.
package ctxargs

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

const doc = `repair calls that do not compile because they lack a context or options

Since KEP-1601 every clientset method takes a context first, Create, Update, UpdateStatus and
Patch take options, and options are passed by value. The fix inserts the context in scope, or
context.TODO() where there is none or where it may have ended, and the options, so that the call
does what it did before. Whatever else takes a context first is treated alike. The calls of a
file are repaired together, with the imports they need.

It needs code that does not compile: run it alone on package patterns, not under go vet.`

// Analyzer is ctxargs.
var Analyzer = answer.Wrap(&analysis.Analyzer{
	Name:             "ctxargs",
	Doc:              doc,
	Requires:         []*analysis.Analyzer{inspect.Analyzer},
	RunDespiteErrors: true,
	Run:              run,
})

// A repair collects what one file needs.
type repair struct {
	pass  *analysis.Pass
	file  *ast.File
	adds  map[string]string // import path by the name it needs
	edits []analysis.TextEdit
	found []analysis.Diagnostic
}

func run(pass *analysis.Pass) (any, error) {
	root := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root()
	files := map[*ast.File]*repair{}
	for c := range root.Preorder((*ast.CallExpr)(nil)) {
		file := edit.File(pass, c.Node().Pos())
		if file == nil {
			continue
		}
		if files[file] == nil {
			files[file] = &repair{pass: pass, file: file, adds: map[string]string{}}
		}
		files[file].call(c, c.Node().(*ast.CallExpr))
	}
	for _, file := range pass.Files {
		if r := files[file]; r != nil {
			r.report()
		}
	}
	return nil, nil
}

// report gives the whole file's edits to its first finding: one without the other's imports
// would not build.
func (r *repair) report() {
	if len(r.found) == 0 {
		return
	}
	if !ast.IsGenerated(r.file) && len(r.edits) > 0 {
		r.found[0].SuggestedFixes = []analysis.SuggestedFix{{
			Message:   "Give the calls of this file their contexts and options",
			TextEdits: append(r.edits, r.imports()...),
		}}
	}
	for _, d := range r.found {
		r.pass.Report(d)
	}
}

func (r *repair) imports() []analysis.TextEdit {
	var edits []analysis.TextEdit
	for _, path := range []string{"context", metaPath} {
		if name, ok := r.adds[path]; ok {
			edits = append(edits, edit.AddImport(r.file, name, path))
		}
	}
	return edits
}

// call repairs one call whose callee takes a context first and whose arguments do not fit.
func (r *repair) call(c inspector.Cursor, n *ast.CallExpr) {
	sig, ok := r.pass.TypesInfo.TypeOf(n.Fun).(*types.Signature)
	if !ok || sig.Params().Len() == 0 || !scope.IsContext(sig.Params().At(0).Type()) {
		return
	}
	if n.Ellipsis.IsValid() || r.fits(sig, n.Args) {
		return
	}
	changes, ok := r.plan(sig, n)
	if !ok {
		return
	}
	r.found = append(r.found, analysis.Diagnostic{
		Pos:     n.Pos(),
		End:     n.End(),
		Message: types.ExprString(n.Fun) + " takes a context first, and options by value, since KEP-1601: this call does not compile",
	})
	r.edits = append(r.edits, r.apply(c, n, changes)...)
}

// fits reports whether the call's arguments are as the signature wants them.
func (r *repair) fits(sig *types.Signature, args []ast.Expr) bool {
	if len(args) == 1 && isTuple(r.pass.TypesInfo.TypeOf(args[0])) {
		return true
	}
	last := sig.Params().Len()
	if sig.Variadic() {
		last--
	}
	if len(args) < last || !sig.Variadic() && len(args) > last {
		return false
	}
	for i := range last {
		if !r.assignable(args[i], sig.Params().At(i).Type()) {
			return false
		}
	}
	return true
}

func isTuple(t types.Type) bool {
	_, ok := t.(*types.Tuple)
	return ok
}

// assignable takes an argument whose type is not known for one that fits, unless a context is
// wanted: what does not compile for other reasons is not ours.
func (r *repair) assignable(e ast.Expr, want types.Type) bool {
	tv, ok := r.pass.TypesInfo.Types[e]
	if !ok || tv.Type == nil || tv.Type == types.Typ[types.Invalid] {
		return !scope.IsContext(want) && !isOptions(want)
	}
	if basic, ok := tv.Type.(*types.Basic); ok && basic.Info()&types.IsUntyped != 0 && basic.Kind() != types.UntypedNil {
		b, ok := want.Underlying().(*types.Basic)
		return types.IsInterface(want) && !scope.IsContext(want) || ok && types.ConvertibleTo(types.Default(basic), b)
	}
	return types.AssignableTo(tv.Type, want)
}
