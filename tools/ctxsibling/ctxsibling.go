// SPDX-License-Identifier: Apache-2.0

// Package ctxsibling reports calls that have a sibling which takes a context.
package ctxsibling

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/lanyard-k8s/lanyard/tools/ctxlanyard"
	"github.com/lanyard-k8s/lanyard/tools/internal/answer"
	"github.com/lanyard-k8s/lanyard/tools/internal/edit"
	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

const doc = `report calls that have a sibling which takes a context

For a call of Foo, a sibling is a FooWithContext or FooContext of the same package or type whose
signature is the same plus a context: a context first, in place of a stop channel, or as first
parameter of a function passed in. It is looked up in the packages that the code is built with.
Some siblings have other names, and some are on another interface behind a bridge function.
A field such as ListFunc of a struct literal has a sibling in the same way.

The fix is offered where the results are the same or unused.

Silent: where no context is in scope; in the sibling itself; in generated files; the standard library,
which is noctx's; the informers of Lanyard's programs, which are ctxlanyard's.`

// Analyzer is ctxsibling.
var Analyzer = answer.Wrap(&analysis.Analyzer{
	Name:     "ctxsibling",
	Doc:      doc,
	Requires: []*analysis.Analyzer{inspect.Analyzer},
	Run:      run,
})

func run(pass *analysis.Pass) (any, error) {
	root := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root()
	f := finder{pass, map[*ast.FuncLit]bool{}}
	for c := range root.Preorder((*ast.CallExpr)(nil), (*ast.CompositeLit)(nil)) {
		if edit.Generated(pass, c.Node().Pos()) {
			continue
		}
		switch n := c.Node().(type) {
		case *ast.CallExpr:
			f.call(c, n)
		case *ast.CompositeLit:
			f.fields(n)
		}
	}
	return nil, nil
}

// A finder goes through one package. It remembers the literals that its fixes give a context, so
// that the calls in them are moved in the same run.
type finder struct {
	*analysis.Pass
	gained map[*ast.FuncLit]bool
}

// nearest is the context that the call at c has, or will have.
func (f finder) nearest(c inspector.Cursor) *types.Var {
	if fn, ok := scope.Func(c); ok {
		if lit, ok := fn.Node().(*ast.FuncLit); ok && f.gained[lit] {
			return types.NewParam(lit.Type.Pos(), f.Pkg, "ctx", nil)
		}
	}
	return scope.Nearest(f.Pkg, c.Node().Pos())
}

func (f finder) call(c inspector.Cursor, n *ast.CallExpr) {
	pass := f.Pass
	fn, ok := typeutil.Callee(pass.TypesInfo, n).(*types.Func)
	if !ok || fn.Pkg() == nil || standard(fn.Pkg()) {
		return
	}
	s, ok := find(pass, n, fn)
	if !ok || inSibling(c, s.name) || ctxlanyard.Advice(pass, n) != "" {
		return
	}
	v := f.nearest(c)
	if s.stop >= 0 && s.stop < len(n.Args) {
		v = s.stops(pass, c, n.Args[s.stop], v)
	}
	if v == nil && s.lead {
		return
	}
	d := analysis.Diagnostic{Pos: n.Pos(), End: n.End(), Message: message(n, s, v)}
	if edits := s.edits(f, c, n, v); len(edits) > 0 {
		d.SuggestedFixes = []analysis.SuggestedFix{{Message: "Call " + s.name, TextEdits: edits}}
	}
	pass.Report(d)
}

// stops notes what ends the call: the context that is returned, or another channel.
func (s *sibling) stops(pass *analysis.Pass, c inspector.Cursor, arg ast.Expr, near *types.Var) *types.Var {
	v, ok := scope.DoneOf(pass.TypesInfo, c, arg)
	switch id, isName := ast.Unparen(arg).(*ast.Ident); {
	case ok && v != nil:
		s.done = true
		if isName && s.note == "" { // without its last use, the variable does not compile
			s.note = "with " + v.Name() + " in place of " + id.Name
		}
		return v
	case ok:
		s.channel = "another context"
	case isName && id.Name != "nil":
		s.channel = id.Name
	}
	return near
}

func message(n *ast.CallExpr, s sibling, v *types.Var) string {
	next := s.name
	if s.bridge != nil {
		next = s.bridge.Pkg().Name() + "." + s.bridge.Name() + "(…)." + s.name
	}
	text := types.ExprString(n.Fun) + " is not told of the caller's context: "
	if s.logs {
		text += "what it logs is without the logger and the trace of " + v.Name()
	} else if s.done {
		text += "it stops with " + v.Name() + " but has none of its values"
	} else if s.channel != "" {
		text += "it stops with " + s.channel + " and has none of " + v.Name() + "'s values"
	} else if s.lead {
		text += "it goes on when " + v.Name() + " ends"
	} else {
		text += "what it calls back cannot be cancelled"
	}
	text += ": write " + next
	if s.note != "" {
		text += " (" + s.note + ")"
	}
	return text
}

// standard reports whether the package is of the standard library.
func standard(pkg *types.Package) bool {
	first, _, _ := strings.Cut(pkg.Path(), "/")
	return !strings.Contains(first, ".")
}

// inSibling reports whether the call stands in the sibling's own body, which would recurse.
func inSibling(c inspector.Cursor, name string) bool {
	decl, ok := scope.Decl(c)
	return ok && decl.Name.Name == name
}

// unused reports whether nobody looks at the call's results.
func unused(c inspector.Cursor) bool {
	switch c.Parent().Node().(type) {
	case *ast.ExprStmt, *ast.GoStmt, *ast.DeferStmt:
		return true
	}
	return false
}

func (s sibling) edits(f finder, c inspector.Cursor, n *ast.CallExpr, v *types.Var) []analysis.TextEdit {
	pass := f.Pass
	if s.note != "" || edit.Generated(pass, n.Pos()) || !s.sameResults && !unused(c) {
		return nil
	}
	if s.stop >= 0 && !s.done || s.lead && !s.done && scope.Of(pass.TypesInfo, c, v) != scope.Plain {
		return nil
	}
	edits := s.rename(pass, n)
	if edits == nil {
		return nil
	}
	for _, i := range s.funcs {
		e, ok := f.gain(n.Args[i])
		if !ok {
			return nil
		}
		edits = append(edits, e)
	}
	for _, i := range s.funcs {
		f.gained[n.Args[i].(*ast.FuncLit)] = true
	}
	return append(edits, s.arguments(n, v)...)
}

// arguments puts the context first and takes the stop channel out.
func (s sibling) arguments(n *ast.CallExpr, v *types.Var) []analysis.TextEdit {
	switch {
	case !s.lead:
		return nil
	case s.stop < 0:
		return []analysis.TextEdit{edit.FirstArg(n, v.Name())}
	case s.stop == 0:
		return []analysis.TextEdit{edit.Replace(n.Args[0], v.Name())}
	}
	gone := analysis.TextEdit{Pos: n.Args[s.stop-1].End(), End: n.Args[s.stop].End()}
	return []analysis.TextEdit{edit.FirstArg(n, v.Name()), gone}
}

// rename changes the callee's name, through the bridge if there is one.
func (s sibling) rename(pass *analysis.Pass, n *ast.CallExpr) []analysis.TextEdit {
	sel, ok := n.Fun.(*ast.SelectorExpr)
	if !ok {
		if id, ok := n.Fun.(*ast.Ident); ok {
			return []analysis.TextEdit{edit.Replace(id, s.name)}
		}
		return nil
	}
	edits := []analysis.TextEdit{edit.Replace(sel.Sel, s.name)}
	if s.bridge == nil {
		return edits
	}
	pkg := edit.Import(pass, n.Pos(), s.bridge.Pkg().Path())
	if pkg == "" {
		return nil
	}
	return append(edits, edit.Insert(sel.X.Pos(), pkg+"."+s.bridge.Name()+"("), edit.Insert(sel.X.End(), ")"))
}

// gain gives a function literal a context as its first parameter.
func (f finder) gain(e ast.Expr) (analysis.TextEdit, bool) {
	lit, ok := e.(*ast.FuncLit)
	if !ok || scope.Declares(f.TypesInfo, lit.Type, "ctx") || unnamed(lit.Type) {
		return analysis.TextEdit{}, false
	}
	name := edit.Import(f.Pass, lit.Pos(), "context")
	return edit.FirstParam(lit.Type, "ctx "+name+".Context"), name != ""
}

func unnamed(fn *ast.FuncType) bool {
	return len(fn.Params.List) > 0 && len(fn.Params.List[0].Names) == 0
}
