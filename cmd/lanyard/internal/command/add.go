// SPDX-License-Identifier: Apache-2.0

package command

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/disk"
	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/layout"
	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/project"
	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/toolchain"
)

// add writes new files into a project and generates what follows from them. If that fails, the files are gone again,
// and what was generated before is as it was.
func add(c *cobra.Command, p *project.Project, what string, files []layout.File) error {
	undo, err := disk.Write(p.Dir, files)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.ErrOrStderr(), "lanyard: generating clients and manifests")
	if err := toolchain.Script(c.Context(), p.Dir, project.Generate); err != nil {
		return errors.Join(fmt.Errorf("generate: %w; %s was not added", err, what), undo())
	}
	fmt.Fprintf(c.OutOrStdout(), "%s is added:\n", what)
	for _, file := range files {
		fmt.Fprintf(c.OutOrStdout(), "  %s\n", file.Path)
	}
	return nil
}
