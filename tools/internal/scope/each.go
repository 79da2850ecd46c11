// SPDX-License-Identifier: Apache-2.0

package scope

import (
	"go/ast"
	"go/types"
	"iter"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/lanyard-k8s/lanyard/tools/internal/edit"
)

// A Site is a node of the analyzed package, with what an analyzer asks of it first.
type Site[N ast.Node] struct {
	inspector.Cursor
	Node N
	pass *analysis.Pass
}

// Each yields the nodes of type N in the order of the sources. The analyzer has to require
// inspect.Analyzer.
func Each[N ast.Node](pass *analysis.Pass) iter.Seq[Site[N]] {
	root := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Root()
	return func(yield func(Site[N]) bool) {
		var kind N
		for c := range root.Preorder(kind) {
			if !yield(Site[N]{Cursor: c, Node: c.Node().(N), pass: pass}) {
				return
			}
		}
	}
}

// Nearest returns the innermost context that code here can name, or nil. It is not kept: most
// nodes are passed over before anyone asks.
func (s Site[N]) Nearest() *types.Var { return Nearest(s.pass.Pkg, s.Node.Pos()) }

// Test reports whether the node is in a test file or in one that is written for tests.
func (s Site[N]) Test() bool { return edit.TestHelper(s.pass, s.Node.Pos()) }
