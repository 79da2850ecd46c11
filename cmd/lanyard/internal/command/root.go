// SPDX-License-Identifier: Apache-2.0

// Package command is the command line of lanyard.
package command

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Run runs the command line and returns its error, which has been told to nobody.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	root := &cobra.Command{
		Use:   "lanyard",
		Short: "Make operators for Kubernetes that are built with Lanyard, add to them, and see what they do",
		Example: `  lanyard init example.com/shop/widget-operator --group shop.example.com --kind Widget
  lanyard add kind Gadget
  lanyard add controller pod-counter --for v1/Pod
  lanyard top --address http://localhost:8082
  lanyard why default/web --address http://localhost:8082`,
		Version:       ownVersion(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	add := &cobra.Command{
		Use:   "add",
		Short: "Add to the project in this folder; files that are there stay as they are",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	add.AddCommand(addKind(), addController())
	root.AddCommand(initialize(), add, top(), why())
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(ctx)
}

// ownVersion returns the version that this program was built from.
func ownVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// exactly checks that a command has one argument.
func exactly(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%s takes one %s, not %d: %s", c.CommandPath(), what, len(args), c.UseLine())
		}
		return nil
	}
}
