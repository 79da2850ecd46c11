// SPDX-License-Identifier: Apache-2.0

package ctxsibling

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/lanyard-k8s/lanyard/tools/internal/edit"
)

// fields reports the keys of a struct literal whose function has a field for a sibling.
func (f finder) fields(lit *ast.CompositeLit) {
	pass := f.Pass
	t := pass.TypesInfo.TypeOf(lit)
	if t == nil {
		return
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok {
		return
	}
	set := map[string]*ast.KeyValueExpr{}
	for _, elt := range lit.Elts {
		if kv, ok := elt.(*ast.KeyValueExpr); ok {
			set[types.ExprString(kv.Key)] = kv
		}
	}
	for _, elt := range lit.Elts {
		kv, ok := elt.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		name := types.ExprString(kv.Key)
		if next := fieldSibling(pass, st, name); next != "" && set[next] == nil {
			f.reportField(t, kv, name, next)
		}
	}
}

func (f finder) reportField(t types.Type, kv *ast.KeyValueExpr, name, next string) {
	d := analysis.Diagnostic{
		Pos: kv.Key.Pos(),
		End: kv.Key.End(),
		Message: "the function in " + name + " of " + types.TypeString(t, (*types.Package).Name) +
			" is not given its caller's context, so what it calls cannot be cancelled: write " + next,
	}
	if e, ok := f.gain(kv.Value); ok && !edit.Generated(f.Pass, kv.Pos()) {
		f.gained[kv.Value.(*ast.FuncLit)] = true
		d.SuggestedFixes = []analysis.SuggestedFix{{
			Message:   "Set " + next,
			TextEdits: []analysis.TextEdit{edit.Replace(kv.Key, next), e},
		}}
	}
	f.Report(d)
}

// fieldSibling returns the field whose function is that of name plus a context.
func fieldSibling(pass *analysis.Pass, st *types.Struct, name string) string {
	var old types.Type
	for f := range st.Fields() {
		if f.Name() == name {
			old = f.Type()
		}
	}
	if old == nil {
		return ""
	}
	stem := strings.TrimSuffix(name, "Func")
	for f := range st.Fields() {
		switch f.Name() {
		case name + "WithContext", stem + "WithContextFunc", name + "Context", stem + "ContextFunc":
			if (f.Exported() || f.Pkg() == pass.Pkg) && gains(old, f.Type()) {
				return f.Name()
			}
		}
	}
	return ""
}
