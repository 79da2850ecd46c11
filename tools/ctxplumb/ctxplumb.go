// SPDX-License-Identifier: Apache-2.0

// Package ctxplumb reports functions without a context on a path that needs one.
package ctxplumb

import (
	"go/ast"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/lanyard-k8s/lanyard/tools/internal/answer"
	"github.com/lanyard-k8s/lanyard/tools/internal/edit"
)

const doc = `report functions without a context on a path that needs one

Where context.TODO stands in a function that is given no context, the report names the calls
that lead there. The fix is one edit for the package: each function on the way that is not
exported gets a parameter ctx, and all its callers pass one; an exported one becomes
XWithContext, and a wrapper X stays for callers elsewhere, which "go fix -inline" moves over.
A caller that has no context passes context.TODO: so the TODOs move up until they are gone.
A variable ctx that is made of a TODO gives way to the parameter.

Silent: TODOs in wrappers marked //go:fix inline, under a cancel function that is stored or handed
on, and in files for tests (which name testing.T, TB, B, F or M); Background, which is taken for
meant.
Without a fix: functions used as values or through an interface, main, init and tests, generic
functions, function literals, defers, goroutines and clean-up code.

The fix sees one build of the package: callers under other build tags are yours to change.`

// Analyzer is ctxplumb.
var Analyzer = answer.Wrap(&analysis.Analyzer{
	Name:     "ctxplumb",
	Doc:      doc,
	Requires: []*analysis.Analyzer{inspect.Analyzer},
	Run:      run,
})

func run(pass *analysis.Pass) (any, error) {
	root := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root()
	g := newGraph(pass, root, false) // a package reads the same with and without its tests
	g.spread()
	whole := g.withTests(root)
	var found []analysis.Diagnostic
	fixable := -1
	for _, n := range g.nodes {
		for _, todo := range n.kept {
			found = append(found, analysis.Diagnostic{Pos: todo.Pos(), Message: g.message(n)})
		}
		for _, todo := range n.seeds {
			if whole.by[n.fn].plumbed && fixable < 0 {
				fixable = len(found)
			}
			found = append(found, analysis.Diagnostic{Pos: todo.Pos(), End: todo.End(), Message: g.message(n)})
		}
	}
	if fixable >= 0 {
		found[fixable].SuggestedFixes = []analysis.SuggestedFix{{
			Message:   "Hand the context down to every function of the package that needs it",
			TextEdits: whole.rewrite(),
		}}
	}
	for _, d := range found {
		pass.Report(d)
	}
	return nil, nil
}

// withTests returns the graph that the edit is made from: tests call what it changes.
func (g *graph) withTests(root inspector.Cursor) *graph {
	for _, f := range g.pass.Files {
		if edit.Test(g.pass, f.Package) {
			whole := newGraph(g.pass, root, true)
			whole.spread()
			return whole
		}
	}
	return g
}

func (g *graph) message(n *node) string {
	text := "no context reaches this call, so nothing can cancel it: "
	chain, ends := g.chain(n)
	switch {
	case ends && n.plumbed:
		return text + "hand it down " + chain
	case ends:
		return text + "there is one above, " + chain + ", but " + n.why
	case n.plumbed:
		return text + "give " + n.decl.Name.Name + " a parameter ctx (" + chain + ")"
	}
	return text + n.decl.Name.Name + " needs one from elsewhere: " + n.why
}

// chain writes the calls from a function that has a context, or from the topmost one, down to n.
func (g *graph) chain(n *node) (text string, ends bool) {
	type step struct {
		n    *node
		text string
	}
	seen := map[*node]bool{n: true}
	queue := []step{{n, n.decl.Name.Name}}
	last := queue[0]
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		last = at
		for _, s := range at.n.callers {
			if seen[s.from] {
				continue
			}
			seen[s.from] = true
			next := step{s.from, s.from.decl.Name.Name + " → " + at.text}
			if s.ctx != nil && !g.madeUp[s.ctx] {
				return s.from.decl.Name.Name + "(" + s.ctx.Name() + ") → " + at.text, true
			}
			queue = append(queue, next)
		}
	}
	return last.text, false
}

// wrapper reports whether the function is marked to be inlined: its TODO is there for callers.
func wrapper(decl *ast.FuncDecl) bool {
	if decl.Doc == nil {
		return false
	}
	for _, c := range decl.Doc.List {
		if c.Text == "//go:fix inline" {
			return true
		}
	}
	return false
}

func generated(pass *analysis.Pass, decl *ast.FuncDecl) bool { return edit.Generated(pass, decl.Pos()) }
