// SPDX-License-Identifier: Apache-2.0

// Command house measures how the code of a module is arranged.
package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/lanyard-k8s/lanyard/tools/house"
)

const usage = `usage:
  house table [-C dir] [packages]                the numbers of the packages
  house graph [-C dir] [packages]                what the files of each package use of each other
  house ways  [-C dir] PAGE                      the walks of a Markdown page
  house check [-C dir] [-rules FILE] [packages]  fail if files know each other, or a rule is broken

Packages are patterns of the go command, by default ./... of the module in dir.
`

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "house:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(out, usage)
		return fmt.Errorf("name a command")
	}
	flags := flag.NewFlagSet("house "+args[0], flag.ContinueOnError)
	folder := flags.String("C", ".", "the folder of the module")
	rules := flags.String("rules", "", "the file with the rules")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	patterns := flags.Args()
	if args[0] == "ways" {
		if len(patterns) != 1 {
			return fmt.Errorf("ways takes one page, not %d", len(patterns))
		}
		return ways(*folder, patterns[0], out)
	}
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	all, err := house.Load(*folder, patterns...)
	if err != nil {
		return err
	}
	switch args[0] {
	case "table":
		return table(all, out)
	case "graph":
		for _, p := range all {
			fmt.Fprintln(out, house.GraphOf(p))
		}
		return nil
	case "check":
		return check(all, *rules, out)
	}
	fmt.Fprint(out, usage)
	return fmt.Errorf("unknown command %q", args[0])
}

func table(all []house.Package, out io.Writer) error {
	measures, err := house.Measure(all)
	if err != nil {
		return err
	}
	values := measures.Values()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(out, "%-20s %.4g\n", name, values[name])
	}
	return nil
}

func ways(folder, page string, out io.Writer) error {
	walks, err := house.Walks(folder, page)
	for _, walk := range walks {
		fmt.Fprintln(out, walk)
	}
	return err
}

func check(all []house.Package, path string, out io.Writer) error {
	rules := &house.Rules{} // none but that no two files know each other
	if path != "" {
		var err error
		if rules, err = house.ReadRules(path); err != nil {
			return err
		}
	}
	measures, err := house.Measure(all)
	if err != nil {
		return err
	}
	violations := rules.Violations(all, measures)
	for _, violation := range violations {
		fmt.Fprintln(out, violation)
	}
	if len(violations) > 0 {
		return fmt.Errorf("%d rules are broken, see above", len(violations))
	}
	return nil
}
