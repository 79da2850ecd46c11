// SPDX-License-Identifier: Apache-2.0

package ctxtodo

import (
	"go/ast"

	"golang.org/x/tools/go/analysis"

	"github.com/lanyard-k8s/lanyard/tools/internal/answer"
	"github.com/lanyard-k8s/lanyard/tools/internal/edit"
	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

// unnamed collects what stands in functions that drop their context. A function's findings share
// one fix, because the parameter can be named only once.
type unnamed struct {
	pass  *analysis.Pass
	by    map[ast.Node]*dropped
	order []*dropped
}

type dropped struct {
	scope.Unnamed
	found []analysis.Diagnostic
	todos []*ast.CallExpr // those that ctx can replace without a look
}

func (u *unnamed) add(s scope.Site[*ast.CallExpr], made string, f scope.Unnamed) {
	place := scope.Of(u.pass.TypesInfo, s.Cursor, f.Param)
	owned := scope.Owned(u.pass.TypesInfo, s.Cursor)
	if made == "Background" && (owned || root(u.pass, s.Cursor) || place != scope.Plain || s.Test()) {
		return
	}
	if answer.Given(u.pass, "ctxtodo", s.Node.Pos()) {
		u.pass.Reportf(s.Node.Pos(), "answered") // marks the answer as used
		return
	}
	d := u.of(f)
	d.found = append(d.found, analysis.Diagnostic{
		Pos: s.Node.Pos(), End: s.Node.End(), Message: message(made, place, owned),
	})
	if made == "TODO" && place == scope.Plain && !owned {
		d.todos = append(d.todos, s.Node)
	}
}

func (u *unnamed) of(f scope.Unnamed) *dropped {
	d := u.by[f.Func.Node()]
	if d == nil {
		d = &dropped{Unnamed: f}
		u.by[f.Func.Node()] = d
		u.order = append(u.order, d)
	}
	return d
}

func message(made string, place scope.Place, owned bool) string {
	text := "context." + made + "() "
	if place != scope.Plain {
		text += string(place) + " "
	}
	text += "although the function is given a context, as _: name the parameter ctx and write "
	switch {
	case owned:
		return text + "context.WithoutCancel(ctx)"
	case place != scope.Plain:
		return text + "context.WithoutCancel(ctx) with a time limit, or ctx if that cannot be over here"
	case made == "Background":
		return text + "ctx, or context.WithoutCancel(ctx) if this must outlive it"
	}
	return text + "ctx"
}

// report reports all. The fix names the parameter and replaces the TODOs; what was a Background is
// left to a person.
func (u *unnamed) report() {
	for _, d := range u.order {
		if edits := d.Name(u.pass); edits != nil {
			for _, todo := range d.todos {
				edits = append(edits, edit.Replace(todo, "ctx"))
			}
			d.found[0].SuggestedFixes = []analysis.SuggestedFix{{
				Message: "Name the context", TextEdits: edits,
			}}
		}
		for _, found := range d.found {
			u.pass.Report(found)
		}
	}
}
