// SPDX-License-Identifier: Apache-2.0

// Package ctxfield reports contexts that are stored in structs.
package ctxfield

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

const doc = `report contexts stored in structs

A stored context is that of whoever made the struct, not of the call at hand: its end, deadline
and trace are the wrong ones. Worse, and reported apart, is a method that is given a context and
uses the stored one.

A stored context is reported where its type has a method that is given one, and where something
assigns to it, as in x.ctx = ctx: then the struct is older than the context, and lives longer. The
finding is at the field, so that one answer there is enough. With -ctxfield.all every stored one is
reported, also those of requests, writers and options that are made with one; most of these are meant.

Silent: a struct that holds a cancel function as well, as it ends its context itself, and types with
a method WithContext or Context that is given one, and what that returns, as http.Request, and
functions so named that assign; files for tests, which name testing.T, TB, B, F or M (all are reported with -ctxfield.all, the first if it
has methods); a call that is given both contexts; types that are
contexts themselves (they have Deadline, Done, Err and Value); tests.`

// Analyzer is ctxfield.
var Analyzer = answer.Wrap(newAnalyzer())

func newAnalyzer() *analysis.Analyzer {
	a := &analysis.Analyzer{Name: "ctxfield", Doc: doc, Requires: []*analysis.Analyzer{inspect.Analyzer}}
	all := a.Flags.Bool("all", false, "report every stored context, also those of requests, writers and options")
	a.Run = func(pass *analysis.Pass) (any, error) {
		run(pass, *all)
		return nil, nil
	}
	return a
}

func run(pass *analysis.Pass, all bool) {
	root := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root()
	by := assigned(pass, root)
	for c := range root.Preorder((*ast.TypeSpec)(nil), (*ast.SelectorExpr)(nil)) {
		if edit.Test(pass, c.Node().Pos()) {
			continue
		}
		switch n := c.Node().(type) {
		case *ast.TypeSpec:
			declaration(pass, n, by, all)
		case *ast.SelectorExpr:
			use(pass, c, n)
		}
	}
}

func declaration(pass *analysis.Pass, spec *ast.TypeSpec, by map[*types.Var]string, all bool) {
	st, ok := spec.Type.(*ast.StructType)
	if !ok || isItselfContext(pass, spec) || owns(pass, st) && !hasMethods(pass, spec) {
		return
	}
	if !all && (owns(pass, st) || handedOver(pass, spec) || edit.TestHelper(pass, spec.Pos())) {
		return
	}
	every := all || givenOne(pass, spec)
	for _, f := range st.Fields.List {
		if !scope.IsContext(pass.TypesInfo.TypeOf(f.Type)) {
			continue
		}
		if who := storedBy(pass, f, by); every || who != "" {
			pass.Reportf(f.Pos(), "%s stores a context%s: %s", spec.Name.Name, who, remedy(pass, spec))
		}
	}
}

func remedy(pass *analysis.Pass, spec *ast.TypeSpec) string {
	if hasMethods(pass, spec) {
		return "its methods run on the end, deadline and trace of whoever made it, not of their caller: pass the context as each method's first parameter"
	}
	return "whoever is handed it runs on the end, deadline and trace of its maker, and does not see which: pass the context beside it, as the first parameter"
}

// owns reports whether the struct holds a function that ends a context as well: what is stored is
// the struct's own life, which it ends itself, or what someone keeps of work that he started.
func owns(pass *analysis.Pass, st *ast.StructType) bool {
	for _, f := range st.Fields.List {
		if scope.IsCancel(pass.TypesInfo.TypeOf(f.Type)) {
			return true
		}
	}
	return false
}

// handedOver reports whether the type has a method WithContext or Context that is given one, or is
// what such a method in the package returns: whoever uses it has just said on which context, as
// with http.Request.
func handedOver(pass *analysis.Pass, spec *ast.TypeSpec) bool {
	obj := pass.TypesInfo.Defs[spec.Name]
	if obj == nil {
		return false
	}
	for _, other := range pass.Pkg.Scope().Names() {
		t := pass.Pkg.Scope().Lookup(other).Type()
		for _, name := range []string{"WithContext", "Context"} {
			m, _, _ := types.LookupFieldOrMethod(t, true, pass.Pkg, name)
			fn, ok := m.(*types.Func)
			if !ok || !scope.TakesContext(fn.Signature()) {
				continue
			}
			if types.Identical(t, obj.Type()) || returns(fn.Signature(), obj.Type()) {
				return true
			}
		}
	}
	return false
}

func returns(sig *types.Signature, t types.Type) bool {
	for v := range sig.Results().Variables() {
		if types.Identical(v.Type(), t) || types.Identical(v.Type(), types.NewPointer(t)) {
			return true
		}
	}
	return false
}

// givenOne reports whether a method that is declared for the type is given a context.
func givenOne(pass *analysis.Pass, spec *ast.TypeSpec) bool {
	obj := pass.TypesInfo.Defs[spec.Name]
	if obj == nil {
		return false
	}
	named, ok := obj.Type().(*types.Named)
	if !ok {
		return false
	}
	for m := range named.Methods() {
		if scope.TakesContext(m.Signature()) {
			return true
		}
	}
	return false
}

func hasMethods(pass *analysis.Pass, spec *ast.TypeSpec) bool {
	obj := pass.TypesInfo.Defs[spec.Name]
	return obj == nil || types.NewMethodSet(types.NewPointer(obj.Type())).Len() > 0
}

func isItselfContext(pass *analysis.Pass, spec *ast.TypeSpec) bool {
	obj := pass.TypesInfo.Defs[spec.Name]
	return obj != nil && scope.ActsAsContext(obj.Type())
}

// use reports a stored context that is passed to a call where the function has one of its own.
func use(pass *analysis.Pass, c inspector.Cursor, sel *ast.SelectorExpr) {
	s, ok := pass.TypesInfo.Selections[sel]
	if !ok || s.Kind() != types.FieldVal || !scope.IsContext(s.Type()) {
		return
	}
	call, ok := c.Parent().Node().(*ast.CallExpr)
	if !ok || call.Fun == sel || !ofReceiver(pass, c, sel) {
		return
	}
	v := scope.Nearest(pass.Pkg, sel.Pos())
	if v == nil || v.Kind() != types.ParamVar || given(pass, call, v) {
		return
	}
	pass.Reportf(sel.Pos(), "this call runs on the stored %s although the method is given %s: it goes on when the caller is cancelled, and stops when the struct's maker is: write %[2]s", types.ExprString(sel), v.Name())
}

// given reports whether the call is given v as well: then it knows what each is for.
func given(pass *analysis.Pass, call *ast.CallExpr, v *types.Var) bool {
	for _, arg := range call.Args {
		if id, ok := arg.(*ast.Ident); ok && pass.TypesInfo.Uses[id] == v {
			return true
		}
	}
	return false
}

// ofReceiver reports whether the field is the method's own receiver's.
func ofReceiver(pass *analysis.Pass, c inspector.Cursor, sel *ast.SelectorExpr) bool {
	decl, ok := scope.Decl(c)
	if !ok || decl.Recv == nil || len(decl.Recv.List) == 0 || len(decl.Recv.List[0].Names) == 0 {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && pass.TypesInfo.Uses[id] == pass.TypesInfo.Defs[decl.Recv.List[0].Names[0]]
}
