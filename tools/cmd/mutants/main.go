// SPDX-License-Identifier: Apache-2.0

// Command mutants changes lines of packages, one at a time, and tells which changes no test notices:
//
//	mutants [-dir FOLDER] [-n NUMBER] [-seed SEED] PATTERN...
//
// A condition is negated, a statement is dropped, or an error is not returned. The tests of the package run, and then
// those of the packages that use it, until one fails. The module itself is not changed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/lanyard-k8s/lanyard/tools/internal/mutants"
)

func main() {
	var (
		dir     = flag.String("dir", ".", "folder of the module")
		n       = flag.Int("n", 150, "how many changes are tried")
		seed    = flag.Uint64("seed", 0, "of the sample; 0: one that is drawn, and printed")
		timeout = flag.Duration("timeout", 3*time.Minute, "for the tests of a package; one that takes longer has noticed")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o := mutants.Options{Number: *n, Seed: *seed, Timeout: *timeout}
	if err := run(ctx, os.Stdout, *dir, flag.Args(), o); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, dir string, patterns []string, o mutants.Options) error {
	if len(patterns) == 0 {
		return errors.New("a pattern of packages is required, such as ./controller")
	}
	for o.Seed == 0 {
		o.Seed = rand.Uint64() //nolint:gosec // it is printed
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	module, packages, err := mutants.Load(ctx, dir, patterns...)
	if err != nil {
		return err
	}
	all, err := module.Mutants(packages)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d changes of %d are tried, with -seed %d\n", min(o.Number, len(all)), len(all), o.Seed)
	o.Tell = func(m *mutants.Mutant, v mutants.Verdict, took time.Duration) {
		shown := *m
		if short, err := filepath.Rel(dir, m.File); err == nil {
			shown.File = short
		}
		fmt.Fprintf(out, "%s (%s, %v)\n", &shown, v, took.Round(100*time.Millisecond))
	}
	counts, survivors, err := module.Try(ctx, all, o)
	total := 0
	for _, verdict := range []mutants.Verdict{mutants.KilledByOwn, mutants.KilledByOthers, mutants.Survived} {
		fmt.Fprintf(out, "%4d %s\n", counts[verdict], verdict)
		total += counts[verdict]
	}
	for _, m := range survivors {
		fmt.Fprintln(out, "not noticed:", m)
	}
	if err != nil {
		return fmt.Errorf("after %d changes: %w", total, err)
	}
	return nil
}
