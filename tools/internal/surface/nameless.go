// SPDX-License-Identifier: Apache-2.0

package surface

import "go/types"

// nameless returns the type without the names of parameters and results in it: to rename a
// parameter does not change the surface.
func nameless(t types.Type) types.Type {
	switch t := t.(type) {
	case *types.Signature:
		return types.NewSignatureType(nil, nil, nil,
			namelessTuple(t.Params()), namelessTuple(t.Results()), t.Variadic())
	case *types.Pointer:
		return types.NewPointer(nameless(t.Elem()))
	case *types.Slice:
		return types.NewSlice(nameless(t.Elem()))
	case *types.Array:
		return types.NewArray(nameless(t.Elem()), t.Len())
	case *types.Chan:
		return types.NewChan(t.Dir(), nameless(t.Elem()))
	case *types.Map:
		return types.NewMap(nameless(t.Key()), nameless(t.Elem()))
	case *types.Struct:
		return namelessStruct(t)
	case *types.Interface:
		return namelessInterface(t)
	case *types.Named:
		return namelessInstance(t, t.Origin(), t.TypeArgs())
	case *types.Alias:
		return namelessInstance(t, t.Origin(), t.TypeArgs())
	default:
		return t
	}
}

func namelessTuple(tuple *types.Tuple) *types.Tuple {
	var vars []*types.Var
	for v := range tuple.Variables() {
		vars = append(vars, types.NewParam(v.Pos(), v.Pkg(), "", nameless(v.Type())))
	}
	return types.NewTuple(vars...)
}

func namelessStruct(t *types.Struct) types.Type {
	var fields []*types.Var
	var tags []string
	for i := range t.NumFields() {
		f := t.Field(i)
		fields = append(fields,
			types.NewField(f.Pos(), f.Pkg(), f.Name(), nameless(f.Type()), f.Embedded()))
		tags = append(tags, t.Tag(i))
	}
	return types.NewStruct(fields, tags)
}

// namelessInterface leaves interfaces without methods as they are: constraints, and any.
func namelessInterface(t *types.Interface) types.Type {
	if t.NumExplicitMethods() == 0 {
		return t
	}
	var methods []*types.Func
	for m := range t.ExplicitMethods() {
		signature := nameless(m.Signature()).(*types.Signature)
		methods = append(methods, types.NewFunc(m.Pos(), m.Pkg(), m.Name(), signature))
	}
	var embedded []types.Type
	for e := range t.EmbeddedTypes() {
		embedded = append(embedded, e)
	}
	return types.NewInterfaceType(methods, embedded).Complete()
}

// namelessInstance treats the type arguments of a generic type, and leaves other types alone.
func namelessInstance(t, origin types.Type, args *types.TypeList) types.Type {
	var clean []types.Type
	for arg := range args.Types() {
		clean = append(clean, nameless(arg))
	}
	if len(clean) == 0 {
		return t
	}
	instance, err := types.Instantiate(nil, origin, clean, false)
	if err != nil {
		return t // with the names: the arguments were right before
	}
	return instance
}
