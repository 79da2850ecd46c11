// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// method is a method of the snapshot, as text.
type method struct {
	Name    string
	Params  string // with names, without parentheses
	Results string
	Call    string // the call of the new method, on what WithContext returns
	Instead string // that call, for a person to write
	NewName string // of the new method
	Todo    bool   // the new method takes a context
	Returns bool
}

const (
	metav1Path  = "k8s.io/apimachinery/pkg/apis/meta/v1"
	ptrPath     = "k8s.io/utils/ptr"
	withContext = "WithContext"
)

// oldMethods makes the methods from before KEP-1601 of those after it.
func oldMethods(f *file, methods []*types.Func) []method {
	// Types are written first: a parameter may not have the name of any package that the file
	// imports, and which ones these are is not known before.
	for _, m := range methods {
		if !isNewer(m, methods) {
			f.oldMethod(m, methods)
		}
	}
	var old []method
	for _, m := range methods {
		if !isNewer(m, methods) {
			old = append(old, f.oldMethod(m, methods))
		}
	}
	return old
}

// isNewer reports whether there was no such method before contexts: it applies, or it is a sibling.
func isNewer(m *types.Func, methods []*types.Func) bool {
	for param := range m.Signature().Params().Variables() {
		if isMeta(param.Type(), "ApplyOptions") {
			return true
		}
	}
	name, ok := strings.CutSuffix(m.Name(), withContext)
	return ok && siblingOf(name, methods) == m
}

// siblingOf returns the method that is named with a context, if the one without is there as well.
func siblingOf(name string, methods []*types.Func) *types.Func {
	find := func(name string) *types.Func {
		i := slices.IndexFunc(methods, func(m *types.Func) bool { return m.Name() == name })
		if i < 0 {
			return nil
		}
		return methods[i]
	}
	old, sibling := find(name), find(name+withContext)
	if old == nil || sibling == nil || hasContext(old) || !hasContext(sibling) {
		return nil
	}
	return sibling
}

func (f *file) oldMethod(m *types.Func, methods []*types.Func) method {
	old := method{Name: m.Name(), Results: f.results(m.Signature())}
	old.Returns = m.Signature().Results().Len() > 0
	if sibling := siblingOf(m.Name(), methods); sibling != nil {
		m = sibling
	}
	old.NewName, old.Todo = m.Name(), hasContext(m)
	var params, call, instead []string
	signature := m.Signature()
	for i := range signature.Params().Len() {
		p := f.oldParam(signature, i)
		if p.decl != "" {
			params = append(params, p.decl)
		}
		call = append(call, p.call)
		instead = append(instead, p.instead)
	}
	old.Params = strings.Join(params, ", ")
	old.Call = fmt.Sprintf("%s(%s)", m.Name(), strings.Join(call, ", "))
	old.Instead = fmt.Sprintf("%s(%s)", m.Name(), strings.Join(instead, ", "))
	return old
}

// oldParam is what becomes of one parameter. Without decl, there was none before KEP-1601.
type oldParam struct{ decl, call, instead string }

func (f *file) oldParam(signature *types.Signature, i int) oldParam {
	param := signature.Params().At(i)
	typ := param.Type()
	for _, dropped := range []string{"CreateOptions", "UpdateOptions", "PatchOptions"} {
		if isMeta(typ, dropped) {
			return oldParam{"", f.typ(typ) + "{}", "metav1." + dropped + "{}"}
		}
	}
	name := f.paramName(param.Name(), i)
	switch {
	case isContext(typ):
		return oldParam{"", f.Pkg("context") + ".TODO()", "ctx"}
	case isMeta(typ, "DeleteOptions"):
		t := f.typ(typ)
		// One expression, of exported names only, or the inliner could not use it.
		return oldParam{name + " *" + t, fmt.Sprintf("%s.Deref(%s, %s{})", f.Pkg(ptrPath), name, t), "*" + name}
	case signature.Variadic() && i == signature.Params().Len()-1:
		return oldParam{name + " ..." + f.typ(typ.(*types.Slice).Elem()), name + "...", name + "..."}
	}
	return oldParam{name + " " + f.typ(typ), name, name}
}

func (f *file) results(signature *types.Signature) string {
	var list []string
	for result := range signature.Results().Variables() {
		list = append(list, f.typ(result.Type()))
	}
	if len(list) == 1 {
		return list[0]
	}
	if len(list) == 0 {
		return ""
	}
	return "(" + strings.Join(list, ", ") + ")"
}

func hasContext(m *types.Func) bool {
	params := m.Signature().Params()
	return params.Len() > 0 && isContext(params.At(0).Type())
}

func isContext(t types.Type) bool { return isNamed(t, "context", "Context") }

func isMeta(t types.Type, name string) bool { return isNamed(t, metav1Path, name) }

func isNamed(t types.Type, path, name string) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == name && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == path
}
