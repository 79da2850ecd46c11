// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// clientset is a loaded clientset: what the snapshot mirrors.
type clientset struct {
	pkg       *packages.Package
	discovery types.Type // what Discovery returns
	scheme    bool       // there is a package scheme
	fakes     []string   // the constructors of its package fake; none: no such package
	groups    []*group
	leftOut   []string // what the snapshot cannot have, for the person who generates it
}

// group is one group and version, the package of its clients.
type group struct {
	pkg       *packages.Package
	rel       string // path below the clientset
	name      string // WardleV1beta1: the method of the clientset and the stem of the type names
	fake      bool   // there is a package fake
	resources []*resource
}

// resource is the client of one kind.
type resource struct {
	name       string // Flunder: the stem of the type names
	getter     string // Flunders: the method of the group's client
	namespaced bool
	methods    []*types.Func
	expansion  []*types.Func // methods that were written by hand
}

const loadMode = packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedImports |
	packages.NeedTypes | packages.NeedTypesInfo

func load(c config) (*clientset, error) {
	loaded, err := packages.Load(&packages.Config{Mode: loadMode, Dir: c.dir}, c.clientset, c.clientset+"/...")
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", c.clientset, err)
	}
	byPath := map[string]*packages.Package{}
	for _, pkg := range loaded {
		if len(pkg.Errors) > 0 {
			return nil, fmt.Errorf("loading %s: %w", pkg.PkgPath, pkg.Errors[0])
		}
		byPath[pkg.PkgPath] = pkg
	}
	root := byPath[c.clientset]
	if root == nil || root.Types.Scope().Lookup("Interface") == nil {
		return nil, fmt.Errorf("%s is no clientset: it has no Interface", c.clientset)
	}
	set := &clientset{pkg: root, scheme: byPath[c.clientset+"/scheme"] != nil}
	if fake := byPath[c.clientset+"/fake"]; fake != nil {
		for _, name := range []string{"NewSimpleClientset", "NewClientset"} {
			if fake.Types.Scope().Lookup(name) != nil {
				set.fakes = append(set.fakes, name)
			}
		}
	}
	return set, set.findGroups(byPath)
}

// findGroups reads the methods of the clientset's Interface: Discovery, and one for each group.
func (set *clientset) findGroups(byPath map[string]*packages.Package) error {
	for _, method := range methodsOf(set.pkg, "Interface") {
		signature := method.Signature()
		if signature.Params().Len() != 0 || signature.Results().Len() != 1 {
			return fmt.Errorf("%s is not what client-gen makes", method.FullName())
		}
		result := signature.Results().At(0).Type()
		if method.Name() == "Discovery" {
			set.discovery = result
			continue
		}
		named, ok := types.Unalias(result).(*types.Named)
		if !ok || named.Obj().Name() != method.Name()+"Interface" {
			return fmt.Errorf("%s does not return the interface of a group", method.FullName())
		}
		pkg := byPath[named.Obj().Pkg().Path()]
		if pkg == nil {
			return fmt.Errorf("%s is not below the clientset", named.Obj().Pkg().Path())
		}
		g := &group{pkg: pkg, name: method.Name(), fake: byPath[pkg.PkgPath+"/fake"] != nil}
		g.rel = strings.TrimPrefix(pkg.PkgPath, set.pkg.PkgPath+"/")
		g.findResources()
		set.groups = append(set.groups, g)
	}
	if set.discovery == nil {
		return fmt.Errorf("%s.Interface has no Discovery", set.pkg.PkgPath)
	}
	return nil
}

// findResources reads the methods of a group's interface: RESTClient, and a getter for each kind.
func (g *group) findResources() {
	for _, method := range methodsOf(g.pkg, g.name+"Interface") {
		signature := method.Signature()
		if signature.Results().Len() != 1 {
			continue
		}
		named, ok := types.Unalias(signature.Results().At(0).Type()).(*types.Named)
		if !ok || named.Obj().Pkg() != g.pkg.Types {
			continue // RESTClient
		}
		r := &resource{
			name:       strings.TrimSuffix(named.Obj().Name(), "Interface"),
			getter:     method.Name(),
			namespaced: signature.Params().Len() == 1,
		}
		expansion := methodsOf(g.pkg, r.name+"Expansion")
		for _, m := range methodsOf(g.pkg, r.name+"Interface") {
			if !slices.Contains(expansion, m) {
				r.methods = append(r.methods, m)
			}
		}
		r.expansion = expansion
		g.resources = append(g.resources, r)
	}
}

// methodsOf returns all methods of a package's interface, also of those which it embeds, in the order
// in which they were written. An interface that is not there has none.
func methodsOf(pkg *packages.Package, name string) []*types.Func {
	object := pkg.Types.Scope().Lookup(name)
	if object == nil {
		return nil
	}
	iface, ok := object.Type().Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	methods := slices.Collect(iface.Methods())
	slices.SortFunc(methods, func(a, b *types.Func) int {
		// By name and offset: files are parsed at the same time, which of them has the smaller
		// positions is another one in each run.
		p, q := pkg.Fset.Position(a.Pos()), pkg.Fset.Position(b.Pos())
		return cmp.Or(cmp.Compare(p.Filename, q.Filename), cmp.Compare(p.Offset, q.Offset), cmp.Compare(a.Name(), b.Name()))
	})
	return methods
}
