// SPDX-License-Identifier: Apache-2.0

package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/layout"
	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/names"
	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/project"
)

// kindOptions are the flags of a kind. Group and version may be empty where the project has one only.
type kindOptions struct{ group, version, plural string }

// newKind checks a new kind of a project that has these kinds and controllers. newVersion is true if it is the first
// one of its group and version.
func newKind(module string, known []project.Kind, controllers []string, o kindOptions, name string) (kind layout.Kind, newVersion bool, err error) {
	if err := names.CheckKind(name); err != nil {
		return kind, false, err
	}
	if err := o.complete(known); err != nil {
		return kind, false, err
	}
	kind = layout.Kind{
		Module: module, Group: o.group, Version: o.version, Kind: name, Plural: o.plural, Name: name,
	}
	if kind.Plural == "" {
		kind.Plural = names.Plural(name)
	}
	for _, check := range []error{names.CheckGroup(kind.Group), names.CheckVersion(kind.Version), names.CheckPlural(kind.Plural)} {
		if check != nil {
			return kind, false, check
		}
	}
	for _, other := range known {
		if err := clash(kind, other); err != nil {
			return kind, false, err
		}
	}
	kind.Folder = folder(kind.Group, known)
	taken := slices.ContainsFunc(known, func(k project.Kind) bool { return strings.EqualFold(k.Kind, name) }) ||
		slices.ContainsFunc(controllers, func(c string) bool { return strings.EqualFold(c, name) })
	if taken {
		kind.Name = kind.GoGroup() + name
	}
	if slices.ContainsFunc(controllers, func(c string) bool { return strings.EqualFold(c, kind.Name) }) {
		return kind, false, fmt.Errorf("kind %s: there is a controller SetUp%s already", name, kind.Name)
	}
	newVersion = !slices.ContainsFunc(known, func(k project.Kind) bool {
		return k.Group == kind.Group && k.Version == kind.Version
	})
	return kind, newVersion, nil
}

// complete takes group and version from the project, if it has one.
func (o *kindOptions) complete(known []project.Kind) error {
	var groups []string
	for _, k := range known {
		if !slices.Contains(groups, k.Group) {
			groups = append(groups, k.Group)
		}
	}
	switch {
	case o.group != "":
	case len(groups) == 1:
		o.group = groups[0]
	case len(groups) == 0:
		return fmt.Errorf("the project has no group yet: name one with --group")
	default:
		return fmt.Errorf("the project has the groups %s: name one with --group", strings.Join(groups, " and "))
	}
	var versions []string
	for _, k := range known {
		if k.Group == o.group && !slices.Contains(versions, k.Version) {
			versions = append(versions, k.Version)
		}
	}
	switch {
	case o.version != "":
	case len(versions) == 1:
		o.version = versions[0]
	case len(versions) == 0:
		o.version = "v1alpha1"
	default:
		return fmt.Errorf("the group %s has the versions %s: name one with --version", o.group, strings.Join(versions, " and "))
	}
	return nil
}

// clash returns an error if the two kinds cannot be in one project.
func clash(kind layout.Kind, other project.Kind) error {
	if kind.Group != other.Group {
		return nil
	}
	switch {
	case kind.Kind == other.Kind && kind.Version == other.Version:
		return fmt.Errorf("the kind %s exists: %s", other.Kind, place(other))
	case kind.Kind == other.Kind:
		return fmt.Errorf("the kind %s exists in version %s: a second version needs one that is stored, and a conversion, "+
			"which you write yourself", other.Kind, other.Version)
	case strings.EqualFold(kind.Kind, other.Kind):
		return fmt.Errorf("the kind %s exists, which is %s but for upper and lower case", other.Kind, kind.Kind)
	case kind.Plural == other.Plural:
		return fmt.Errorf("the kind %s has the plural %s already: state another with --plural", other.Kind, kind.Plural)
	}
	for _, suffix := range []string{"Spec", "Status"} {
		if kind.Version == other.Version && (kind.Kind == other.Kind+suffix || kind.Kind+suffix == other.Kind) {
			return fmt.Errorf("the kinds %s and %s cannot be in one version: one would be the %s of the other",
				other.Kind, kind.Kind, strings.ToLower(suffix))
		}
	}
	return nil
}

func place(k project.Kind) string {
	return "it is in api/" + k.Folder + "/" + k.Version
}

// folder returns the folder of a group below api.
func folder(group string, known []project.Kind) string {
	for _, k := range known {
		if k.Group == group {
			return k.Folder
		}
	}
	return names.GroupFolder(group, func(name string) bool {
		return slices.ContainsFunc(known, func(k project.Kind) bool { return k.Folder == name })
	})
}
