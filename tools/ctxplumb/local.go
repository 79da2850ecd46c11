// SPDX-License-Identifier: Apache-2.0

package ctxplumb

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/lanyard-k8s/lanyard/tools/internal/answer"
	"github.com/lanyard-k8s/lanyard/tools/internal/edit"
	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

// A local is a variable ctx that a function makes of a TODO in its outermost block, where a
// parameter ctx takes its place.
type local struct {
	stmt  *ast.AssignStmt
	todo  *ast.CallExpr
	later scope.Place // where it is used so that the caller's may be over, or Plain
}

// local finds the function's own ctx, and notes what else is made of TODOs.
func (g *graph) local(c inspector.Cursor, decl *ast.FuncDecl) *local {
	var own *local
	var v *types.Var
	for a := range c.Preorder((*ast.AssignStmt)(nil)) {
		stmt := a.Node().(*ast.AssignStmt)
		todo, made := g.thinAir(stmt)
		if !made {
			continue
		}
		for _, lhs := range stmt.Lhs {
			id, ok := lhs.(*ast.Ident)
			def, isVar := g.pass.TypesInfo.Defs[id].(*types.Var)
			if !ok || !isVar || !scope.IsContext(def.Type()) {
				continue
			}
			g.madeUp[def] = true
			if todo != nil && id.Name == "ctx" && a.Parent().Node() == decl.Body && g.replaceable(a, todo) {
				own, v = &local{stmt: stmt, todo: todo}, def
			}
		}
	}
	if own != nil {
		own.later = g.later(c, v)
	}
	return own
}

// replaceable reports whether the TODO is one that a parameter replaces.
func (g *graph) replaceable(stmt inspector.Cursor, todo *ast.CallExpr) bool {
	c, ok := stmt.FindNode(todo)
	return ok && !scope.Owned(g.pass.TypesInfo, c) && scope.Of(g.pass.TypesInfo, c, none) == scope.Plain &&
		scope.Nearest(g.pass.Pkg, todo.Pos()) == nil && !answer.Given(g.pass, "ctxplumb", todo.Pos())
}

// thinAir reports whether a context is assigned that is made of a TODO: of todo, or of a variable.
func (g *graph) thinAir(stmt *ast.AssignStmt) (todo *ast.CallExpr, made bool) {
	for _, rhs := range stmt.Rhs {
		ast.Inspect(rhs, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.Ident:
				made = made || g.madeUp[g.pass.TypesInfo.Uses[n]]
			case *ast.CallExpr:
				if scope.NewContext(g.pass.TypesInfo, n) == "TODO" {
					todo, made = n, true
				}
			}
			return true
		})
	}
	return todo, made
}

// later returns the first place that is not plain where the variable is used.
func (g *graph) later(fn inspector.Cursor, v *types.Var) scope.Place {
	for c := range fn.Preorder((*ast.Ident)(nil)) {
		if g.pass.TypesInfo.Uses[c.Node().(*ast.Ident)] != v {
			continue
		}
		if place := scope.Of(g.pass.TypesInfo, c, v); place != scope.Plain {
			return place
		}
	}
	return scope.Plain
}

// todo puts the parameter in the place of one TODO. Where the variable ctx would only be given
// its own value the statement goes.
func (r *rewriter) todo(n *node, todo *ast.CallExpr) []analysis.TextEdit {
	if n.own == nil || n.own.todo != todo {
		return []analysis.TextEdit{edit.Replace(todo, "ctx")}
	}
	stmt := n.own.stmt
	if len(stmt.Lhs) == 1 && ast.Unparen(stmt.Rhs[0]) == todo {
		return []analysis.TextEdit{r.without(n.decl.Body, stmt)}
	}
	edits := []analysis.TextEdit{edit.Replace(todo, "ctx")}
	if !r.declares(stmt) {
		edits = append(edits, analysis.TextEdit{Pos: stmt.TokPos, End: stmt.TokPos + token.Pos(len(":=")), NewText: []byte("=")})
	}
	return edits
}

// declares reports whether the statement declares a variable besides ctx.
func (r *rewriter) declares(stmt *ast.AssignStmt) bool {
	for _, lhs := range stmt.Lhs {
		if id, ok := lhs.(*ast.Ident); ok && id.Name != "ctx" && id.Name != "_" && r.pass.TypesInfo.Defs[id] != nil {
			return true
		}
	}
	return false
}

// without takes the statement out, and its line if nothing else is on it. At the beginning of
// the body the blank line after it goes too.
func (r *rewriter) without(body *ast.BlockStmt, stmt *ast.AssignStmt) analysis.TextEdit {
	gone := analysis.TextEdit{Pos: stmt.Pos(), End: stmt.End()}
	file := r.pass.Fset.File(stmt.Pos())
	first, last := file.Line(stmt.Pos()), file.Line(stmt.End())
	next := body.Rbrace
	for i, s := range body.List {
		if s == stmt && i > 0 && file.Line(body.List[i-1].End()) == first {
			return gone
		}
		if s.Pos() > stmt.Pos() {
			next = s.Pos()
			break
		}
	}
	if file.Line(body.Lbrace) == first || file.Line(next) == last {
		return gone
	}
	end := file.LineStart(last + 1)
	if body.List[0] == stmt && r.source(end, end+1) == "\n" {
		end++
	}
	return analysis.TextEdit{Pos: file.LineStart(first), End: end}
}
