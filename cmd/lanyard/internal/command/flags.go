// SPDX-License-Identifier: Apache-2.0

package command

import "github.com/spf13/pflag"

// addLanyard adds the flag for those who work on Lanyard itself.
func addLanyard(flags *pflag.FlagSet, dir *string) {
	const name = "lanyard"
	flags.StringVar(dir, name, "", "a checkout of Lanyard that the project uses in place of a release")
	if err := flags.MarkHidden(name); err != nil {
		panic(err) // there is no such flag
	}
}

// addDir adds the flag of the commands that add to a project.
func addDir(flags *pflag.FlagSet, dir *string) {
	flags.StringVar(dir, "dir", ".", "a folder of the project")
}
