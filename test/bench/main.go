// SPDX-License-Identifier: Apache-2.0

// The command bench compares controllers written on Lanyard, on controller-runtime and on bare client-go. See
// README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/report"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/workload"
)

type settings struct {
	rounds   int
	quick    bool
	only     string
	programs []string
	results  string
	plots    string
	profiles string
	shards   string
	table    bool
	scale    workload.Scale
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := realMain(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func realMain(ctx context.Context, args []string, out, progress io.Writer) error {
	s, err := parse(args, progress)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.shards != "" {
		results, err := report.Load(s.shards)
		if err != nil {
			return err
		}
		return report.Shards(s.plots, results)
	}
	if !s.table {
		if err := measure(ctx, s, progress); err != nil {
			return err
		}
	}
	results, err := report.Load(s.results)
	if err != nil {
		return err
	}
	var titles report.Titles
	for _, w := range workload.All() {
		titles = append(titles, struct{ ID, Title string }{w.ID, w.Title})
	}
	report.Table(out, titles, s.programs, results)
	if s.plots != "" {
		return report.Plots(s.plots, workload.Programs, results)
	}
	return nil
}

func parse(args []string, output io.Writer) (*settings, error) {
	s := &settings{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.IntVar(&s.rounds, "rounds", 0, "how often each program runs; default 10, with -quick 2")
	flags.BoolVar(&s.quick, "quick", false, "fewer and smaller runs, in less than five minutes")
	flags.StringVar(&s.only, "only", "", "workloads to run, such as W1,W2; default all")
	programs := flags.String("programs", strings.Join(workload.Programs, ","), "programs to run; apart is bare with a connection each for watches, calls and the Lease, page is Lanyard's with the page mounted")
	flags.StringVar(&s.results, "results", "results.jsonl", "the file for the results, one JSON object per line")
	flags.StringVar(&s.plots, "plots", "", "folder for pictures; none are drawn without")
	flags.StringVar(&s.profiles, "profiles", "", "folder for profiles, of the CPU in odd rounds and of allocations in even ones; such runs are not comparable")
	flags.StringVar(&s.shards, "shards", "", "draw only this file, which test/e2e/sharding has recorded")
	flags.BoolVar(&s.table, "table", false, "run nothing: make the table and pictures of the results that are there")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	var err error
	if s.programs, err = chosen(*programs); err != nil {
		return nil, err
	}
	s.scale = workload.Full
	if s.quick {
		s.scale = workload.Quick
	}
	if s.rounds == 0 {
		s.rounds = 10
		if s.quick {
			s.rounds = 2
		}
	}
	return s, nil
}

// chosen are the programs of a list, in the order in which they are shown.
func chosen(list string) ([]string, error) {
	all := slices.Concat(workload.Programs, workload.Variants)
	asked := strings.Split(list, ",")
	for _, name := range asked {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("-programs=%s: there is no program %q; there are %s", list, name, strings.Join(all, ", "))
		}
	}
	return slices.DeleteFunc(all, func(name string) bool { return !slices.Contains(asked, name) }), nil
}

// repository finds the folder of the repository from the benchmark's own.
func repository(ctx context.Context) (string, error) {
	gomod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Join(filepath.Dir(string(gomod)), "..", ".."), nil
}
