// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"go/types"
	"path"
	"strings"
)

// extra is what someone wrote by hand into a package of clients besides expansions: for example
// EventSinkImpl of core/v1, with which controllers record events.
type extra struct {
	g       *group
	f       *file
	known   map[types.Object]bool // the snapshot has these names as well
	methods map[string][]*ast.FuncDecl
}

// extraFile copies the text of the exported functions and types that client-gen did not make. What
// uses something that the snapshot does not have, or has with another signature, is left out.
func (out *output) extraFile(g *group) error {
	e := &extra{g: g, f: newFile(g.pkg.Name), known: g.mirrored(), methods: map[string][]*ast.FuncDecl{}}
	for _, syntax := range g.pkg.Syntax {
		for _, decl := range syntax.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv != nil {
				e.methods[receiver(fn)] = append(e.methods[receiver(fn)], fn)
			}
		}
	}
	var decls []string
	for _, syntax := range g.pkg.Syntax {
		for _, decl := range syntax.Decls {
			name := e.unknown(decl)
			if name == "" {
				continue
			}
			if text, ok := e.copied(name, decl); ok {
				decls = append(decls, text)
			} else {
				out.set.leftOut = append(out.set.leftOut, g.pkg.PkgPath+"."+name)
			}
		}
	}
	if len(decls) == 0 {
		return nil
	}
	return out.add(path.Join(g.rel, "extra.go"), e.f, "extra", map[string]any{"NewPkg": g.pkg.PkgPath, "Decls": decls})
}

// mirrored returns the objects of the package which the snapshot makes itself.
func (g *group) mirrored() map[types.Object]bool {
	names := []string{g.name + "Interface", g.name + "Client", "New", "NewForConfig", "NewForConfigAndClient", "NewForConfigOrDie"}
	for _, r := range g.resources {
		names = append(names, r.getter+"Getter", r.name+"Interface", r.name+"Expansion")
	}
	known := map[types.Object]bool{}
	for _, name := range names {
		if object := g.pkg.Types.Scope().Lookup(name); object != nil {
			known[object] = true
		}
	}
	return known
}

// unknown returns the first exported name that is declared, unless the snapshot makes it.
func (e *extra) unknown(decl ast.Decl) string {
	var idents []*ast.Ident
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Recv == nil {
			idents = append(idents, decl.Name)
		}
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				idents = append(idents, spec.Name)
			case *ast.ValueSpec:
				idents = append(idents, spec.Names...)
			}
		}
	}
	for _, ident := range idents {
		if ident.IsExported() && !e.known[e.g.pkg.TypesInfo.Defs[ident]] {
			return ident.Name
		}
	}
	return ""
}

// copied returns the text of a declaration and of its methods, unless it cannot be copied.
func (e *extra) copied(name string, decl ast.Decl) (string, bool) {
	if group, ok := decl.(*ast.GenDecl); ok && group.Tok != token.TYPE {
		return "", false // a copied variable would be another variable
	}
	parts := []ast.Decl{decl}
	for _, m := range e.methods[name] {
		parts = append(parts, m)
	}
	for _, part := range parts {
		if !e.usable(name, part) {
			return "", false
		}
	}
	var text strings.Builder
	for i, part := range parts {
		e.importFor(part)
		var buf bytes.Buffer
		if err := format.Node(&buf, e.g.pkg.Fset, withoutDoc(part)); err != nil {
			return "", false
		}
		subject := name
		if i > 0 {
			subject = part.(*ast.FuncDecl).Name.Name
		}
		fmt.Fprintf(&text, "// %s is a copy.\n//\n// Deprecated: use that of %s.\n%s\n\n", subject, e.g.pkg.PkgPath, buf.String())
	}
	return text.String(), true
}

// usable reports whether a declaration means the same in the snapshot.
func (e *extra) usable(name string, decl ast.Decl) bool {
	own, info := e.g.pkg.Types, e.g.pkg.TypesInfo
	ok := true
	ast.Inspect(decl, func(n ast.Node) bool {
		ident, is := n.(*ast.Ident)
		if !is {
			return true
		}
		switch object := info.Uses[ident].(type) {
		case *types.PkgName, nil:
		case *types.Func:
			// A method of the clients: only one that had no context then either.
			ok = ok && (object.Pkg() != own || object.Signature().Recv() != nil && !hasContext(object))
		default:
			packageLevel := object.Pkg() == own && object.Parent() == own.Scope()
			ok = ok && (!packageLevel || e.known[object] || object.Name() == name)
		}
		return ok
	})
	return ok
}

// importFor imports what a declaration names, by the names it uses.
func (e *extra) importFor(decl ast.Decl) {
	ast.Inspect(decl, func(n ast.Node) bool {
		if ident, ok := n.(*ast.Ident); ok {
			if name, ok := e.g.pkg.TypesInfo.Uses[ident].(*types.PkgName); ok {
				e.f.imports[name.Imported().Path()] = name.Name()
			}
		}
		return true
	})
}

func withoutDoc(decl ast.Decl) ast.Decl {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		plain := *decl
		plain.Doc = nil
		return &plain
	case *ast.GenDecl:
		plain := *decl
		plain.Doc = nil
		return &plain
	}
	return decl
}

// receiver returns the name of the type that a method belongs to.
func receiver(fn *ast.FuncDecl) string {
	t := fn.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if ident, ok := t.(*ast.Ident); ok {
		return ident.Name
	}
	return ""
}
