// SPDX-License-Identifier: Apache-2.0

package ctxargs

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/lanyard-k8s/lanyard/tools/internal/edit"
	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

const metaPath = "k8s.io/apimachinery/pkg/apis/meta/v1"

// A change says what to do in front of or with an argument.
type change struct {
	arg    int    // the argument's index; len(Args) is the end
	insert string // "ctx", or the name of an options type of meta/v1
	value  string // the options type whose pointer the argument is
}

// isOptions reports whether t is one of the options structs of meta/v1.
func isOptions(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == metaPath && strings.HasSuffix(named.Obj().Name(), "Options")
}

func optionsName(t types.Type) string { return types.Unalias(t).(*types.Named).Obj().Name() }

// plan lays the arguments along the parameters, filling in contexts and options.
func (r *repair) plan(sig *types.Signature, n *ast.CallExpr) ([]change, bool) {
	var changes []change
	arg := 0
	for i := range sig.Params().Len() {
		want := sig.Params().At(i).Type()
		if sig.Variadic() && i == sig.Params().Len()-1 {
			return changes, r.rest(want, n.Args[arg:]) && len(changes) > 0
		}
		switch {
		case arg < len(n.Args) && r.assignable(n.Args[arg], want):
			arg++
		case arg < len(n.Args) && isOptions(want) && r.pointer(n.Args[arg], want):
			changes = append(changes, change{arg: arg, value: optionsName(want)})
			arg++
		case i == 0:
			changes = append(changes, change{arg: 0, insert: "ctx"})
		case isOptions(want):
			changes = append(changes, change{arg: arg, insert: optionsName(want)})
		default:
			return nil, false
		}
	}
	return changes, arg == len(n.Args) && len(changes) > 0
}

// rest reports whether all of the arguments fit the variadic parameter.
func (r *repair) rest(slice types.Type, args []ast.Expr) bool {
	want := slice.(*types.Slice).Elem()
	for _, a := range args {
		if !r.assignable(a, want) {
			return false
		}
	}
	return true
}

// pointer reports whether the argument is a pointer to the options, or nil.
func (r *repair) pointer(e ast.Expr, want types.Type) bool {
	tv := r.pass.TypesInfo.Types[e]
	if tv.IsNil() {
		return true
	}
	p, ok := tv.Type.(*types.Pointer)
	return ok && types.Identical(p.Elem(), want)
}

func (r *repair) apply(c inspector.Cursor, n *ast.CallExpr, changes []change) []analysis.TextEdit {
	var edits []analysis.TextEdit
	var before, after []string
	star := "" // what else goes directly in front of the first argument
	for _, ch := range changes {
		switch {
		case ch.value != "":
			e := r.byValue(n.Args[ch.arg], ch.value)
			if ch.arg == 0 && string(e.NewText) == "*" {
				star = "*"
				continue
			}
			edits = append(edits, e)
		case ch.insert == "ctx":
			before = append(before, r.context(c, n))
		case ch.arg < len(n.Args) && ch.arg > 0:
			edits = append(edits, edit.Insert(n.Args[ch.arg].Pos(), r.meta(n.Pos(), ch.insert)+"{}, "))
		case ch.arg < len(n.Args):
			before = append(before, r.meta(n.Pos(), ch.insert)+"{}")
		default:
			after = append(after, r.meta(n.Pos(), ch.insert)+"{}")
		}
	}
	return append(edits, place(n, before, after, star)...)
}

// place puts whole arguments before the first and after the last one.
func place(n *ast.CallExpr, before, after []string, star string) []analysis.TextEdit {
	if len(n.Args) == 0 {
		return []analysis.TextEdit{edit.Insert(n.Rparen, strings.Join(append(before, after...), ", "))}
	}
	var edits []analysis.TextEdit
	if len(before) > 0 {
		edits = append(edits, edit.Insert(n.Args[0].Pos(), strings.Join(before, ", ")+", "+star))
	}
	if len(after) > 0 {
		edits = append(edits, edit.Insert(n.Args[len(n.Args)-1].End(), ", "+strings.Join(after, ", ")))
	}
	return edits
}

// byValue turns &opts into opts, p into *p and nil into the type's zero value.
func (r *repair) byValue(e ast.Expr, name string) analysis.TextEdit {
	if r.pass.TypesInfo.Types[e].IsNil() {
		return edit.Replace(e, r.meta(e.Pos(), name)+"{}")
	}
	if u, ok := e.(*ast.UnaryExpr); ok && u.Op == token.AND {
		return analysis.TextEdit{Pos: u.Pos(), End: u.X.Pos()}
	}
	if call, ok := e.(*ast.CallExpr); ok && newOf(call) {
		return edit.Replace(e, r.meta(e.Pos(), name)+"{}")
	}
	return edit.Insert(e.Pos(), "*")
}

// newOf reports whether the call is new(T).
func newOf(call *ast.CallExpr) bool {
	id, ok := call.Fun.(*ast.Ident)
	return ok && id.Name == "new"
}

// context returns the expression for the context: the one in scope if it has surely not ended.
func (r *repair) context(c inspector.Cursor, n *ast.CallExpr) string {
	v := scope.Nearest(r.pass.Pkg, n.Pos())
	if v != nil && scope.Of(r.pass.TypesInfo, c, v) == scope.Plain {
		return v.Name()
	}
	return r.name(n.Pos(), "context", "context") + ".TODO()"
}

func (r *repair) meta(pos token.Pos, name string) string {
	return r.name(pos, metaPath, "metav1") + "." + name
}

// name returns how the file names the package, importing it if need be.
func (r *repair) name(pos token.Pos, path, preferred string) string {
	if name := edit.Import(r.pass, pos, path); name != "" {
		return name
	}
	r.adds[path] = ""
	if preferred != path {
		r.adds[path] = preferred
	}
	return preferred
}
