// SPDX-License-Identifier: Apache-2.0

package program

import (
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
)

// printHelp lists the flags and their variables.
func printHelp(v *variables, output io.Writer) {
	v.flags.SetOutput(output)
	v.flags.PrintDefaults()
	fmt.Fprintf(output, "\nEach flag has an environment variable, which counts if the flag is not given:\n\n")
	table := tabwriter.NewWriter(output, 0, 0, 2, ' ', 0)
	v.flags.VisitAll(func(f *flag.Flag) { fmt.Fprintf(table, "  -%s\t%s\n", f.Name, v.name(f.Name)) })
	_ = table.Flush() // there is nobody else to tell
}
