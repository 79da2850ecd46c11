// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// served is what an API serves.
type served []*Resource

// newServed adds resources to those of client-go. One in place of a built-in one replaces it.
func newServed(resources []Resource) (served, error) {
	var all served
	for _, r := range append(stated(resources), builtIns()...) {
		if r.Version == "" || r.Kind == "" {
			return nil, fmt.Errorf("the resource %+v has no Version or no Kind: set both", r)
		}
		r.complete()
		if all.find(r.Group, r.Version, r.Plural) == nil {
			all = append(all, &r)
		}
	}
	return all, nil
}

// stated leaves out what ResourcesOf says of a kind for which another resource was stated. That one is of the Go
// type of the one which is left out.
func stated(resources []Resource) []Resource {
	derived := map[schema.GroupVersionKind]reflect.Type{}
	own := map[schema.GroupVersionKind]bool{}
	for _, r := range resources {
		if r.goType == nil {
			own[r.gvk()] = true
		} else {
			derived[r.gvk()] = r.goType
		}
	}
	var all []Resource
	for _, r := range resources {
		switch {
		case r.goType == nil:
			r.goType = derived[r.gvk()]
		case own[r.gvk()]:
			continue
		}
		all = append(all, r)
	}
	return all
}

func (s served) find(group, version, plural string) *Resource {
	for _, r := range s {
		if r.Group == group && r.Version == version && r.Plural == plural {
			return r
		}
	}
	return nil
}

// of returns the resource of an object: that of its apiVersion and kind if it has them, or else of its Go type.
func (s served) of(gvk schema.GroupVersionKind, goType reflect.Type) (*Resource, error) {
	if !gvk.Empty() {
		for _, r := range s {
			if r.gvk() == gvk {
				return r, nil
			}
		}
		return nil, fmt.Errorf("no resource is of the kind %s: give it to NewAPI", gvk)
	}
	var named []*Resource
	for _, r := range s {
		if r.goType == goType {
			return r, nil
		}
		if r.goType == nil && r.Kind == goType.Name() {
			named = append(named, r)
		}
	}
	if len(named) != 1 {
		return nil, fmt.Errorf("%d resources are of the kind %s, by the name of the Go type %s: "+
			"give NewAPI one of that kind, or set the object's APIVersion and Kind", len(named), goType.Name(), goType)
	}
	return named[0], nil
}

// versions returns the groups' names, each with its versions.
func (s served) versions() (groups []string, of map[string][]string) {
	of = map[string][]string{}
	for _, r := range s {
		if of[r.Group] == nil {
			groups = append(groups, r.Group)
		}
		if !slices.Contains(of[r.Group], r.Version) {
			of[r.Group] = append(of[r.Group], r.Version)
		}
	}
	slices.Sort(groups)
	for _, versions := range of {
		slices.SortStableFunc(versions, compareVersions)
	}
	return groups, of
}

// compareVersions has v1 before v1beta1, and that before v1alpha1.
func compareVersions(a, b string) int {
	stability := func(v string) int {
		switch {
		case strings.Contains(v, "alpha"):
			return 2
		case strings.Contains(v, "beta"):
			return 1
		}
		return 0
	}
	return stability(a) - stability(b)
}
