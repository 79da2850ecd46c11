// SPDX-License-Identifier: Apache-2.0

package command

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/builtin"
	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/layout"
	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/names"
	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/project"
)

func addController() *cobra.Command {
	var of, dir string
	c := &cobra.Command{
		Use:     "controller NAME --for [GROUP/]VERSION/KIND",
		Short:   "Add a controller for a kind of the project or of Kubernetes, with a test",
		Example: "  lanyard add controller pod-counter --for v1/Pod\n  lanyard add controller pricer --for shop.example.com/v1alpha1/Widget",
		Args:    exactly("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := names.CheckController(args[0]); err != nil {
				return err
			}
			if of == "" {
				return errors.New("add controller needs a kind, such as --for apps/v1/Deployment")
			}
			p, err := project.Open(dir)
			if err != nil {
				return err
			}
			controllers, err := p.Controllers()
			if err != nil {
				return err
			}
			made, err := newController(p, args[0], of)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(controllers, func(name string) bool { return strings.EqualFold(name, made.Name) }) {
				return fmt.Errorf("the controller %s exists: SetUp%s in internal/controllers", args[0], made.Name)
			}
			files, err := made.Files()
			if err != nil {
				return err
			}
			return add(c, p, "the controller "+args[0], files)
		},
	}
	c.Flags().StringVar(&of, "for", "", "the kind, as [GROUP/]VERSION/KIND")
	addDir(c.Flags(), &dir)
	return c
}

func newController(p *project.Project, name, of string) (layout.Controller, error) {
	none := layout.Controller{}
	group, version, kind, err := parseKind(of)
	if err != nil {
		return none, err
	}
	made := layout.Controller{Controller: name, Kind: layout.Kind{
		Module: p.Module, Group: group, Version: version, Kind: kind, Name: names.Camel(name),
	}}
	known, err := p.Kinds()
	if err != nil {
		return none, err
	}
	for _, k := range known {
		if k.Group == group && k.Version == version && k.Kind == kind {
			made.Folder, made.Plural, made.Namespaced = k.Folder, k.Plural, k.Namespaced
			made.Package = path.Join(p.Module, "api", k.Folder, k.Version)
			return made, nil
		}
	}
	found, err := builtin.Find(group, version, kind)
	if err != nil {
		return none, err
	}
	made.BuiltIn, made.Package, made.Folder = true, found.Package, found.Folder
	made.Plural, made.Namespaced = found.Plural, found.Namespaced
	return made, nil
}

// parseKind reads GROUP/VERSION/KIND, where the group of the first kinds of Kubernetes is empty, or core.
func parseKind(text string) (group, version, kind string, err error) {
	parts := strings.Split(text, "/")
	if len(parts) == 2 {
		parts = append([]string{""}, parts...)
	}
	if len(parts) != 3 || parts[1] == "" || parts[2] == "" {
		return "", "", "", fmt.Errorf("--for %q: write it as GROUP/VERSION/KIND, such as apps/v1/Deployment or v1/Pod", text)
	}
	if parts[0] == "core" {
		parts[0] = ""
	}
	return parts[0], parts[1], parts[2], nil
}
