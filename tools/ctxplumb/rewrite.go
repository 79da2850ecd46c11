// SPDX-License-Identifier: Apache-2.0

package ctxplumb

import (
	"go/ast"
	"go/token"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/lanyard-k8s/lanyard/tools/internal/edit"
)

// A rewriter collects the package's edits.
type rewriter struct {
	*graph
	edits    []analysis.TextEdit
	imported map[*ast.File]bool
}

// rewrite returns the one edit that hands the context down.
func (g *graph) rewrite() []analysis.TextEdit {
	r := &rewriter{graph: g, imported: map[*ast.File]bool{}}
	for _, n := range g.nodes {
		if !n.plumbed {
			continue
		}
		r.signature(n)
		for _, todo := range n.seeds {
			r.edits = append(r.edits, r.todo(n, todo)...)
		}
		for _, s := range n.callers {
			r.caller(n, s)
		}
	}
	return r.edits
}

func (r *rewriter) signature(n *node) {
	pkg := r.context(n.decl.Pos())
	r.edits = append(r.edits, edit.FirstParam(n.decl.Type, "ctx "+pkg+".Context"))
	if !n.fn.Exported() {
		return
	}
	name := n.fn.Name()
	r.edits = append(r.edits, edit.Replace(n.decl.Name, name+"WithContext"))
	if doc := n.decl.Doc; doc != nil && strings.HasPrefix(doc.List[0].Text, "// "+name+" ") {
		end := doc.Pos() + token.Pos(len("// "+name))
		r.edits = append(r.edits, edit.Insert(end, "WithContext"))
	}
	r.edits = append(r.edits, edit.Insert(n.decl.End(), r.wrapper(n, pkg)))
}

// wrapper is the old function, for callers elsewhere and for interfaces.
func (r *rewriter) wrapper(n *node, pkg string) string {
	name := n.fn.Name()
	call := name + "WithContext(" + strings.Join(append([]string{pkg + ".TODO()"}, arguments(n.decl)...), ", ") + ")"
	head := "func "
	if recv := n.decl.Recv; recv != nil {
		head += r.source(recv.Pos(), recv.End()) + " "
		call = recv.List[0].Names[0].Name + "." + call
	}
	end := n.decl.Type.Params.End()
	if n.decl.Type.Results != nil {
		end = n.decl.Type.Results.End()
		call = "return " + call
	}
	return "\n\n// " + name + " calls " + name + "WithContext with a context that never ends.\n//\n//go:fix inline\n" +
		head + name + r.source(n.decl.Type.Params.Pos(), end) + " {\n\t" + call + "\n}"
}

func arguments(decl *ast.FuncDecl) []string {
	var args []string
	for _, f := range decl.Type.Params.List {
		for _, id := range f.Names {
			arg := id.Name
			if _, ok := f.Type.(*ast.Ellipsis); ok {
				arg += "..."
			}
			args = append(args, arg)
		}
	}
	return args
}

func (r *rewriter) source(from, to token.Pos) string {
	at := r.pass.Fset.Position(from)
	src, err := r.pass.ReadFile(at.Filename)
	if err != nil {
		return ""
	}
	return string(src[at.Offset : at.Offset+int(to-from)])
}

// caller passes the context at one call. A call of an exported function that has none to pass
// goes on calling the wrapper.
func (r *rewriter) caller(n *node, s *site) {
	arg := ""
	switch {
	case s.ctx != nil && s.plain:
		arg = s.ctx.Name()
	case s.ctx == nil && s.plain && s.from.plumbed:
		arg = "ctx"
	case n.fn.Exported():
		return
	default:
		arg = r.context(s.call.Pos()) + ".TODO()"
	}
	if n.fn.Exported() {
		if edit.Generated(r.pass, s.call.Pos()) {
			return
		}
		r.edits = append(r.edits, edit.Replace(callee(s.call), n.fn.Name()+"WithContext"))
	}
	r.edits = append(r.edits, edit.FirstArg(s.call, arg))
}

func callee(call *ast.CallExpr) *ast.Ident {
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		return f
	case *ast.SelectorExpr:
		return f.Sel
	}
	return nil
}

// context returns the name of package context in the file, importing it once.
func (r *rewriter) context(pos token.Pos) string {
	if name := edit.Import(r.pass, pos, "context"); name != "" {
		return name
	}
	if f := edit.File(r.pass, pos); !r.imported[f] {
		r.imported[f] = true
		r.edits = append(r.edits, edit.AddImport(f, "", "context"))
	}
	return "context"
}
