// SPDX-License-Identifier: Apache-2.0

package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/project"
)

func addKind() *cobra.Command {
	var o kindOptions
	var dir string
	c := &cobra.Command{
		Use:     "kind KIND",
		Short:   "Add a kind, with a controller and tests",
		Example: "  lanyard add kind Gadget\n  lanyard add kind Invoice --group billing.example.com --version v1",
		Args:    exactly("KIND"),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := project.Open(dir)
			if err != nil {
				return err
			}
			known, err := p.Kinds()
			if err != nil {
				return err
			}
			controllers, err := p.Controllers()
			if err != nil {
				return err
			}
			kind, newVersion, err := newKind(p.Module, known, controllers, o, args[0])
			if err != nil {
				return err
			}
			files, err := kind.Files(newVersion)
			if err != nil {
				return err
			}
			return add(c, p, fmt.Sprintf("the kind %s", kind.Kind), files)
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.group, "group", "", "the API group; empty: that of the project, if it has one only")
	flags.StringVar(&o.version, "version", "", "the API version; empty: that of the group, or v1alpha1 for a new group")
	flags.StringVar(&o.plural, "plural", "", "the name of the kind's resource; empty: by the rules of English")
	addDir(flags, &dir)
	return c
}
