// SPDX-License-Identifier: Apache-2.0

package ctxplumb

import (
	"go/ast"
	"go/types"
	"regexp"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/lanyard-k8s/lanyard/tools/internal/answer"
	"github.com/lanyard-k8s/lanyard/tools/internal/edit"
	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

// A node is a declared function of the package.
type node struct {
	decl    *ast.FuncDecl
	fn      *types.Func
	seeds   []*ast.CallExpr // TODOs that a parameter would replace
	kept    []*ast.CallExpr // TODOs that have an answer
	callers []*site
	own     *local // the context it makes for itself
	why     string // why it cannot be changed
	plumbed bool   // it gets a context
}

// A site is a direct call of a node.
type site struct {
	call  *ast.CallExpr
	from  *node
	ctx   *types.Var // the context in scope
	plain bool       // neither in a literal, a defer or a goroutine nor in clean-up code
}

type graph struct {
	pass   *analysis.Pass
	tests  bool // what stands in test files counts
	nodes  []*node
	by     map[*types.Func]*node
	madeUp map[types.Object]bool // the local variables that are made of a TODO
}

// newGraph reads the package, with its test files or as if it had none.
func newGraph(pass *analysis.Pass, root inspector.Cursor, tests bool) *graph {
	g := &graph{pass: pass, tests: tests, by: map[*types.Func]*node{}, madeUp: map[types.Object]bool{}}
	for c := range root.Preorder((*ast.FuncDecl)(nil)) {
		decl := c.Node().(*ast.FuncDecl)
		if fn, ok := pass.TypesInfo.Defs[decl.Name].(*types.Func); ok && decl.Body != nil && g.counts(decl) {
			n := &node{decl: decl, fn: fn, own: g.local(c, decl)}
			g.nodes = append(g.nodes, n)
			g.by[fn] = n
		}
	}
	values := g.values(root)
	for _, n := range g.nodes {
		n.why = g.fixed(n, values)
	}
	for c := range root.Preorder((*ast.CallExpr)(nil)) {
		if g.counts(c.Node()) {
			g.call(c, c.Node().(*ast.CallExpr))
		}
	}
	return g
}

func (g *graph) counts(n ast.Node) bool { return g.tests || !edit.Test(g.pass, n.Pos()) }

func (g *graph) call(c inspector.Cursor, call *ast.CallExpr) {
	callee := g.by[origin(g.pass.TypesInfo, call)]
	decl, ok := scope.Decl(c)
	if callee != nil && (!ok || !callee.fn.Exported() && edit.Generated(g.pass, call.Pos())) {
		callee.why = "it is called where nothing can be changed"
	}
	if !ok {
		return
	}
	fn, _ := g.pass.TypesInfo.Defs[decl.Name].(*types.Func)
	from := g.by[fn]
	if from == nil {
		return
	}
	v := scope.Nearest(g.pass.Pkg, call.Pos())
	plain := scope.Of(g.pass.TypesInfo, c, orNone(v)) == scope.Plain
	made := scope.NewContext(g.pass.TypesInfo, call)
	if made == "TODO" && !scope.Owned(g.pass.TypesInfo, c) && v == nil && plain && !wrapper(decl) && !scope.TakesContext(fn.Signature()) && !edit.TestHelper(g.pass, call.Pos()) {
		from.todo(g.pass, call)
	}
	if callee != nil {
		callee.callers = append(callee.callers, &site{call: call, from: from, ctx: v, plain: plain})
	}
}

func (n *node) todo(pass *analysis.Pass, call *ast.CallExpr) {
	if answer.Given(pass, "ctxplumb", call.Pos()) {
		n.kept = append(n.kept, call)
		return
	}
	n.seeds = append(n.seeds, call)
}

func origin(info *types.Info, call *ast.CallExpr) *types.Func {
	if fn := typeutil.StaticCallee(info, call); fn != nil {
		return fn.Origin()
	}
	return nil
}

// none stands for the parameter that is not there yet: every literal is outside of it.
var none = types.NewParam(0, nil, "ctx", nil)

func orNone(v *types.Var) *types.Var {
	if v == nil {
		return none
	}
	return v
}

// values returns the functions that are used other than by calling them.
func (g *graph) values(root inspector.Cursor) map[types.Object]bool {
	called := map[*ast.Ident]bool{}
	used := map[types.Object]bool{}
	for c := range root.Preorder((*ast.CallExpr)(nil)) {
		switch f := ast.Unparen(c.Node().(*ast.CallExpr).Fun).(type) {
		case *ast.Ident:
			called[f] = true
		case *ast.SelectorExpr:
			called[f.Sel] = true
		}
	}
	for id, obj := range g.pass.TypesInfo.Uses {
		if _, ok := obj.(*types.Func); ok && !called[id] && g.counts(id) {
			used[obj] = true
		}
	}
	return used
}

var byName = regexp.MustCompile(`^(main|init|Test|Benchmark|Example|Fuzz)`)

// fixed says why the function's signature has to stay, or "".
func (g *graph) fixed(n *node, values map[types.Object]bool) string {
	sig := n.fn.Signature()
	_, hasWrapper := g.sibling(n)
	switch {
	case generated(g.pass, n.decl):
		return "its file is generated"
	case byName.MatchString(n.fn.Name()) || edit.Test(g.pass, n.decl.Pos()):
		return "its signature is given"
	case wrapper(n.decl):
		return "it is a wrapper"
	case scope.TakesContext(sig), n.own == nil && scope.Declares(g.pass.TypesInfo, n.decl.Type, "ctx"), g.pass.Pkg.Scope().Lookup("ctx") != nil:
		return "the name ctx is taken"
	case n.own != nil && n.own.later != scope.Plain:
		return "its ctx is also used " + string(n.own.later) + ", where that of the caller may be over"
	case sig.TypeParams().Len() > 0 || sig.RecvTypeParams().Len() > 0:
		return "it is generic"
	case !n.fn.Exported() && values[n.fn]:
		return "it is used as a value"
	case !n.fn.Exported() && sig.Recv() != nil && g.inInterface(n.fn.Name()):
		return "it is called through an interface"
	case n.fn.Exported() && (hasWrapper || !named(n.decl)):
		return "it has no room for a wrapper"
	}
	return ""
}

// sibling looks up the name that an exported function would get.
func (g *graph) sibling(n *node) (types.Object, bool) {
	name := n.fn.Name() + "WithContext"
	if recv := n.fn.Signature().Recv(); recv != nil {
		obj, _, _ := types.LookupFieldOrMethod(recv.Type(), true, g.pass.Pkg, name)
		return obj, obj != nil
	}
	obj := g.pass.Pkg.Scope().Lookup(name)
	return obj, obj != nil
}

// named reports whether a wrapper can name the receiver and every parameter.
func named(decl *ast.FuncDecl) bool {
	lists := []*ast.FieldList{decl.Type.Params}
	if decl.Recv != nil {
		lists = append(lists, decl.Recv)
	}
	for _, list := range lists {
		for _, f := range list.List {
			if len(f.Names) == 0 {
				return false
			}
			for _, id := range f.Names {
				if id.Name == "_" {
					return false
				}
			}
		}
	}
	return true
}

// inInterface reports whether an interface written in this package has such a method.
func (g *graph) inInterface(name string) bool {
	for e, tv := range g.pass.TypesInfo.Types {
		if _, ok := e.(*ast.InterfaceType); !ok || !g.counts(e) {
			continue
		}
		if it, ok := tv.Type.(*types.Interface); ok {
			for m := range it.Methods() {
				if m.Name() == name {
					return true
				}
			}
		}
	}
	return false
}

// spread marks the functions with TODOs, and upwards those that call them without a context.
func (g *graph) spread() {
	var mark func(n *node)
	mark = func(n *node) {
		if n.plumbed || n.why != "" {
			return
		}
		n.plumbed = true
		for _, s := range n.callers {
			if s.ctx == nil && s.plain {
				mark(s.from)
			}
		}
	}
	for _, n := range g.nodes {
		if len(n.seeds) > 0 {
			mark(n)
		}
	}
}
