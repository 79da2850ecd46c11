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

Silent: a struct without methods that holds its context's cancel function as well; a call that is given both contexts; types that are contexts themselves (they have Deadline, Done, Err and Value); tests.`

// Analyzer is ctxfield.
var Analyzer = answer.Wrap(&analysis.Analyzer{
	Name:     "ctxfield",
	Doc:      doc,
	Requires: []*analysis.Analyzer{inspect.Analyzer},
	Run:      run,
})

func run(pass *analysis.Pass) (any, error) {
	root := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root()
	for c := range root.Preorder((*ast.TypeSpec)(nil), (*ast.SelectorExpr)(nil)) {
		if edit.Test(pass, c.Node().Pos()) {
			continue
		}
		switch n := c.Node().(type) {
		case *ast.TypeSpec:
			declaration(pass, n)
		case *ast.SelectorExpr:
			use(pass, c, n)
		}
	}
	return nil, nil
}

func declaration(pass *analysis.Pass, spec *ast.TypeSpec) {
	st, ok := spec.Type.(*ast.StructType)
	if !ok || isItselfContext(pass, spec) || handle(pass, spec, st) {
		return
	}
	for _, f := range st.Fields.List {
		if scope.IsContext(pass.TypesInfo.TypeOf(f.Type)) {
			pass.Reportf(f.Pos(), "%s stores a context: its methods run on the end, deadline and trace of whoever made it, not of their caller: pass the context as each method's first parameter", spec.Name.Name)
		}
	}
}

// handle reports whether the struct is a context with the function that ends it and no methods
// that would run on it: it is what someone keeps of work that he started.
func handle(pass *analysis.Pass, spec *ast.TypeSpec, st *ast.StructType) bool {
	obj := pass.TypesInfo.Defs[spec.Name]
	if obj == nil || types.NewMethodSet(types.NewPointer(obj.Type())).Len() > 0 {
		return false
	}
	for _, f := range st.Fields.List {
		if scope.IsCancel(pass.TypesInfo.TypeOf(f.Type)) {
			return true
		}
	}
	return false
}

func isItselfContext(pass *analysis.Pass, spec *ast.TypeSpec) bool {
	obj := pass.TypesInfo.Defs[spec.Name]
	if obj == nil {
		return false
	}
	for _, name := range []string{"Deadline", "Done", "Err", "Value"} {
		m, _, _ := types.LookupFieldOrMethod(obj.Type(), true, pass.Pkg, name)
		if _, ok := m.(*types.Func); !ok {
			return false
		}
	}
	return true
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
