// SPDX-License-Identifier: Apache-2.0

package ctxhandler

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

const cachePath = "k8s.io/client-go/tools/cache"

// funcs are the structs of client-go that hold handlers' functions.
var funcs = map[string]bool{
	"ResourceEventHandlerFuncs":         true,
	"ResourceEventHandlerDetailedFuncs": true,
	"FilteringResourceEventHandler":     true,
}

// A handler is a function that an informer calls.
type handler struct {
	inspector.Cursor
	name string
}

func (f finder) handlers(root inspector.Cursor) []handler {
	var found []handler
	for c := range root.Preorder((*ast.CompositeLit)(nil), (*ast.FuncDecl)(nil)) {
		switch n := c.Node().(type) {
		case *ast.CompositeLit:
			if f.holdsHandlers(n) {
				found = append(found, f.fields(c, n)...)
			}
		case *ast.FuncDecl:
			if f.handles(n) {
				found = append(found, handler{c, n.Name.Name})
			}
		}
	}
	return found
}

func (f finder) holdsHandlers(n *ast.CompositeLit) bool {
	named, ok := types.Unalias(f.TypesInfo.TypeOf(n)).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return false
	}
	return named.Obj().Pkg().Path() == cachePath && funcs[named.Obj().Name()]
}

func (f finder) fields(c inspector.Cursor, n *ast.CompositeLit) []handler {
	var found []handler
	for _, elt := range n.Elts {
		kv, ok := elt.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		name := types.ExprString(kv.Key)
		switch value := ast.Unparen(kv.Value).(type) {
		case *ast.FuncLit:
			if at, ok := c.FindNode(value); ok {
				found = append(found, handler{at, name})
			}
		case *ast.Ident:
			found = f.named(found, name, value)
		case *ast.SelectorExpr:
			found = f.named(found, name, value.Sel)
		}
	}
	return found
}

func (f finder) named(found []handler, field string, id *ast.Ident) []handler {
	fn, ok := f.TypesInfo.Uses[id].(*types.Func)
	if !ok {
		return found
	}
	at, ok := f.declared[fn.Origin()]
	if !ok {
		return found
	}
	return append(found, handler{at, field + " → " + fn.Name()})
}

// handles reports whether the function is a method of cache.ResourceEventHandler.
func (f finder) handles(decl *ast.FuncDecl) bool {
	want, ok := map[string]int{"OnAdd": 2, "OnUpdate": 2, "OnDelete": 1}[decl.Name.Name]
	fn, isFunc := f.TypesInfo.Defs[decl.Name].(*types.Func)
	if !ok || !isFunc || decl.Recv == nil {
		return false
	}
	params := fn.Signature().Params()
	if params.Len() != want && params.Len() != 1 || fn.Signature().Results().Len() > 0 {
		return false
	}
	it, ok := params.At(0).Type().Underlying().(*types.Interface)
	return ok && it.Empty()
}
