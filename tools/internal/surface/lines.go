// SPDX-License-Identifier: Apache-2.0

package surface

import (
	"bytes"
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// Lines lists all that the packages export, sorted, in the manner of Go's own api/*.txt: one
// line for each function, type, field, method, constant and variable, with its type and, for a
// constant, its value. What a type gets from embedded types is listed too, as far as users
// cannot read it at those types: methods always, fields if the embedded type is not public.
func (s *Surface) Lines() []string {
	var lines []string
	for _, pkg := range s.Packages {
		l := lister{surface: s, pkg: pkg}
		for _, name := range pkg.Scope().Names() {
			if object := pkg.Scope().Lookup(name); object.Exported() {
				l.object(object)
			}
		}
		lines = append(lines, l.lines...)
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// lister collects the lines of one package.
type lister struct {
	surface *Surface
	pkg     *types.Package
	lines   []string
}

func (l *lister) add(format string, args ...any) {
	line := "pkg " + l.surface.Rel(l.pkg) + ", " + fmt.Sprintf(format, args...)
	l.lines = append(l.lines, line)
}

func (l *lister) object(object types.Object) {
	switch o := object.(type) {
	case *types.Const:
		l.add("const %s %s = %s", o.Name(), l.text(o.Type()), o.Val().ExactString())
	case *types.Var:
		l.add("var %s %s", o.Name(), l.text(o.Type()))
	case *types.Func:
		l.add("func %s%s%s", o.Name(), l.params(o.Signature().TypeParams()), l.signature(o.Type()))
	case *types.TypeName:
		l.typeName(o)
	}
}

func (l *lister) typeName(o *types.TypeName) {
	alias, ok := o.Type().(*types.Alias)
	if !ok {
		named := o.Type().(*types.Named)
		l.members(o.Name()+l.params(named.TypeParams()), named)
		l.methods(o.Name()+arguments(named.TypeParams()), named)
		return
	}
	name := o.Name() + l.params(alias.TypeParams())
	l.add("type %s = %s", name, l.text(alias.Rhs()))
	// Users can read what it stands for only here.
	if named, ok := types.Unalias(alias).(*types.Named); ok && hidden(named.Obj()) {
		l.members(name, named)
		l.methods(o.Name()+arguments(alias.TypeParams()), named)
	}
}

// members lists a type by its underlying one: with its fields, or an interface's methods.
func (l *lister) members(name string, t types.Type) {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		mark := ""
		if slices.ContainsFunc(slices.Collect(u.Fields()), unexported) {
			mark = " { unexported fields }"
		}
		l.add("type %s struct%s", name, mark)
		l.fields(name, u, map[string]bool{})
	case *types.Interface:
		if !u.IsMethodSet() {
			l.add("type %s %s", name, l.text(u))
			return
		}
		mark := ""
		for m := range u.Methods() {
			if !m.Exported() {
				mark = " { unexported methods }"
				continue
			}
			l.add("type %s interface, %s%s", name, m.Name(), l.signature(m.Type()))
		}
		l.add("type %s interface%s", name, mark)
	default:
		l.add("type %s %s", name, l.text(u))
	}
}

// fields lists a struct's fields and those promoted from embedded types that are not public.
// A name in seen is one of an outer struct, which hides the inner one.
func (l *lister) fields(name string, u *types.Struct, seen map[string]bool) {
	var inner []*types.Struct
	for i := range u.NumFields() {
		f := u.Field(i)
		if f.Exported() && !seen[f.Name()] {
			form := f.Name()
			if f.Embedded() {
				form = "embedded"
			}
			l.add("type %s struct, %s %s%s", name, form, l.text(f.Type()), tag(u.Tag(i)))
			seen[f.Name()] = true
		}
		if s, ok := hiddenStruct(f); ok {
			inner = append(inner, s)
		}
	}
	for _, s := range inner {
		l.fields(name, s, seen)
	}
}

// methods lists the methods of a type that is no interface, including promoted ones.
func (l *lister) methods(name string, t types.Type) {
	if types.IsInterface(t) {
		return
	}
	values := types.NewMethodSet(t)
	for selection := range types.NewMethodSet(types.NewPointer(t)).Methods() {
		m := selection.Obj()
		if !m.Exported() {
			continue
		}
		receiver := name
		if values.Lookup(m.Pkg(), m.Name()) == nil {
			receiver = "*" + name
		}
		l.add("method (%s) %s%s", receiver, m.Name(), l.signature(selection.Type()))
	}
}

func (l *lister) signature(t types.Type) string {
	var text bytes.Buffer
	types.WriteSignature(&text, nameless(t).(*types.Signature), l.qualifier)
	return text.String()
}

// params returns type parameters with their constraints, in brackets, or "".
func (l *lister) params(list *types.TypeParamList) string {
	var params []string
	for p := range list.TypeParams() {
		params = append(params, p.Obj().Name()+" "+l.text(p.Constraint()))
	}
	return brackets(params)
}

func (l *lister) text(t types.Type) string {
	return types.TypeString(nameless(t), l.qualifier)
}

func (l *lister) qualifier(pkg *types.Package) string {
	if pkg.Path() == l.pkg.Path() {
		return ""
	}
	return l.surface.Rel(pkg)
}

// arguments returns the names of type parameters, in brackets, or "".
func arguments(list *types.TypeParamList) string {
	var names []string
	for p := range list.TypeParams() {
		names = append(names, p.Obj().Name())
	}
	return brackets(names)
}

func brackets(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func tag(tag string) string {
	if tag == "" {
		return ""
	}
	return fmt.Sprintf(" %q", tag)
}

func unexported(v *types.Var) bool { return !v.Exported() }

// hidden reports whether users cannot name a type.
func hidden(o *types.TypeName) bool {
	return o.Pkg() != nil && (!o.Exported() || internal(o.Pkg().Path()))
}

// hiddenStruct returns the struct that a field embeds by a type which users cannot name.
func hiddenStruct(f *types.Var) (*types.Struct, bool) {
	if !f.Embedded() {
		return nil, false
	}
	t := types.Unalias(f.Type())
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	named, ok := t.(*types.Named)
	if !ok || !hidden(named.Obj()) {
		return nil, false
	}
	s, ok := named.Underlying().(*types.Struct)
	return s, ok
}
