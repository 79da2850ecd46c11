// SPDX-License-Identifier: Apache-2.0

package program

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// parse reads the flags and the variables. The error is flag.ErrHelp after the help text was asked for
// and printed.
func parse(o Options, p Process) (*settings, error) {
	environment := mapOf(p.Environment)
	s := newSettings(o, environment)
	flags, err := allFlags(o, s)
	if err != nil {
		return nil, err
	}
	v, err := newVariables(o.Name, flags)
	if err != nil {
		return nil, err
	}
	err = readFlags(flags, p.Args)
	if errors.Is(err, flag.ErrHelp) {
		printHelp(v, p.Stderr)
		return nil, err
	}
	if err == nil {
		err = v.apply(environment)
	}
	if err == nil {
		err = s.validateServers()
	}
	if err == nil && o.Telemetry != nil {
		err = o.Telemetry.Validate(flags)
	}
	if err != nil {
		return nil, fmt.Errorf("%w (-help lists the flags)", err)
	}
	return s, nil
}

func readFlags(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q: everything is set by flags", flags.Arg(0))
	}
	return nil
}

// allFlags returns the flags of the program, of its telemetry, and its own.
func allFlags(o Options, s *settings) (*flag.FlagSet, error) {
	// The program's own come first, so that AddFlags has the flags that are parsed.
	flags := newFlagSet(o.Name)
	if o.AddFlags != nil {
		o.AddFlags(flags)
	}
	ours := newFlagSet(o.Name)
	s.addFlags(ours)
	if o.Telemetry != nil {
		s.addMetrics(ours)
	}
	if err := add(flags, ours, "every program has"); err != nil {
		return nil, err
	}
	if o.Telemetry == nil {
		return flags, nil
	}
	exporting := newFlagSet(o.Name)
	o.Telemetry.AddFlags(exporting)
	return flags, add(flags, exporting, "Options.Telemetry has")
}

func newFlagSet(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // Main prints an error once
	return flags
}

// add adds flags of ours to those of the program.
func add(to, ours *flag.FlagSet, whose string) error {
	var taken []string
	ours.VisitAll(func(f *flag.Flag) {
		if to.Lookup(f.Name) != nil {
			taken = append(taken, "-"+f.Name)
			return
		}
		to.Var(f.Value, f.Name, f.Usage)
	})
	if len(taken) > 0 {
		return fmt.Errorf("add the flags: Options.AddFlags adds %s, which %s: give it another name",
			strings.Join(taken, ", "), whose)
	}
	return nil
}

// mapOf returns the variables by name. Of one that is there twice the first counts, as in os.Getenv.
func mapOf(environment []string) map[string]string {
	all := make(map[string]string, len(environment))
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		if _, twice := all[name]; !twice {
			all[name] = value
		}
	}
	return all
}
