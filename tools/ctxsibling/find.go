// SPDX-License-Identifier: Apache-2.0

package ctxsibling

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

// A sibling is what to call instead, and how its signature differs.
type sibling struct {
	name        string
	lead        bool   // it takes a context first
	stop        int    // the argument that is a stop channel and goes, or -1
	done        bool   // that argument is the Done of a context in a variable
	channel     string // what it is else, or ""
	funcs       []int  // the function arguments that gain a context
	sameResults bool
	bridge      *types.Func // makes the receiver that has it
	note        string      // why there is no fix
	logs        bool        // the context is for its logger
}

// find looks a sibling up by types: on the receiver, in the package, in the table, by a bridge.
func find(pass *analysis.Pass, n *ast.CallExpr, fn *types.Func) (sibling, bool) {
	sig, ok := pass.TypesInfo.TypeOf(n.Fun).(*types.Signature)
	if !ok || scope.TakesContext(sig) {
		return sibling{}, false
	}
	if s, ok := tabled(pass, n, fn); ok {
		return s, true
	}
	recv := receiver(pass, n)
	for _, suffix := range []string{"WithContext", "Context"} {
		name := fn.Name() + suffix
		if s, ok := match(sig, lookup(pass, recv, fn, name)); ok {
			s.name = name
			return s, true
		}
	}
	if recv == nil {
		return sibling{}, false
	}
	return bridged(recv, fn, sig)
}

// receiver returns the static type of a method call's receiver.
func receiver(pass *analysis.Pass, n *ast.CallExpr) types.Type {
	sel, ok := n.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	if s, ok := pass.TypesInfo.Selections[sel]; ok && s.Kind() == types.MethodVal {
		return s.Recv()
	}
	return nil
}

func lookup(pass *analysis.Pass, recv types.Type, fn *types.Func, name string) *types.Signature {
	var obj types.Object
	switch {
	case recv != nil:
		obj, _, _ = types.LookupFieldOrMethod(recv, true, pass.Pkg, name)
	case fn.Signature().Recv() == nil:
		obj = fn.Pkg().Scope().Lookup(name)
	}
	found, ok := obj.(*types.Func)
	if !ok || !found.Exported() && found.Pkg() != pass.Pkg {
		return nil
	}
	return found.Signature()
}

// match reports whether next is old plus contexts.
func match(old, next *types.Signature) (sibling, bool) {
	s := sibling{stop: -1}
	if next == nil || next.TypeParams().Len() > 0 || old.Variadic() != next.Variadic() {
		return s, false
	}
	j := 0
	if next.Params().Len() > 0 && scope.IsContext(next.Params().At(0).Type()) {
		s.lead, j = true, 1
	}
	for i := range old.Params().Len() {
		t := old.Params().At(i).Type()
		switch {
		case j < next.Params().Len() && types.Identical(t, next.Params().At(j).Type()):
			j++
		case s.lead && s.stop < 0 && scope.IsStop(t):
			s.stop = i
		case j < next.Params().Len() && gains(t, next.Params().At(j).Type()):
			s.funcs = append(s.funcs, i)
			j++
		default:
			return s, false
		}
	}
	s.sameResults = types.Identical(old.Results(), next.Results())
	return s, j == next.Params().Len() && (s.lead || len(s.funcs) > 0) && !starts(old, s)
}

// starts reports whether the function only calls the one that it is given, as wait.Group.Start does:
// that one knows its context already, and nothing else is there that could end.
func starts(old *types.Signature, s sibling) bool {
	return s.lead && len(s.funcs) == 1 && old.Params().Len() == 1 && old.Results().Len() == 0
}

// gains reports whether next is the function type old plus a context first.
func gains(old, next types.Type) bool {
	a, ok1 := old.Underlying().(*types.Signature)
	b, ok2 := next.Underlying().(*types.Signature)
	if !ok1 || !ok2 || b.Params().Len() != a.Params().Len()+1 || !scope.IsContext(b.Params().At(0).Type()) {
		return false
	}
	for i := range a.Params().Len() {
		if !types.Identical(a.Params().At(i).Type(), b.Params().At(i+1).Type()) {
			return false
		}
	}
	return types.Identical(a.Results(), b.Results())
}

// bridged looks for a function ToXWithContext, in the package of the method's interface, that
// makes of the receiver something which has the sibling.
func bridged(recv types.Type, fn *types.Func, sig *types.Signature) (sibling, bool) {
	if !types.IsInterface(recv) || fn.Pkg() == nil {
		return sibling{}, false
	}
	var best sibling
	for _, name := range fn.Pkg().Scope().Names() {
		to, ok := fn.Pkg().Scope().Lookup(name).(*types.Func)
		if !ok || !to.Exported() || !strings.HasPrefix(name, "To") || !strings.HasSuffix(name, "WithContext") {
			continue
		}
		s, exact, ok := over(to, recv, fn, sig)
		if ok && (exact || best.bridge == nil) {
			best = s
		}
		if ok && exact {
			break
		}
	}
	return best, best.bridge != nil
}

func over(to *types.Func, recv types.Type, fn *types.Func, sig *types.Signature) (s sibling, exact, ok bool) {
	params, results := to.Signature().Params(), to.Signature().Results()
	if params.Len() != 1 || results.Len() != 1 || !types.IsInterface(params.At(0).Type()) || !types.AssignableTo(recv, params.At(0).Type()) {
		return s, false, false
	}
	name := fn.Name() + "WithContext"
	m, _, _ := types.LookupFieldOrMethod(results.At(0).Type(), true, to.Pkg(), name)
	method, isFunc := m.(*types.Func)
	if !isFunc {
		return s, false, false
	}
	s, ok = match(sig, method.Signature())
	s.name, s.bridge = name, to
	return s, types.Identical(recv, params.At(0).Type()), ok
}
