// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/plane"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/report"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/workload"
)

// measure runs everything and leaves the results in their file.
func measure(ctx context.Context, s *settings, progress io.Writer) (err error) {
	began := time.Now()
	root, err := repository(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "lanyard-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := build(ctx, root, dir, s.programs); err != nil {
		return err
	}
	if s.profiles != "" {
		if s.profiles, err = filepath.Abs(s.profiles); err != nil {
			return err
		}
		if err := os.MkdirAll(s.profiles, 0o755); err != nil {
			return err
		}
	}
	server, err := plane.Start(ctx, root, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop(ctx)) }()
	file, err := report.Create(s.results)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	b := &bench{settings: s, file: file, progress: progress,
		env: &workload.Env{Plane: server, Programs: dir, Names: s.programs, Dir: dir, Scale: s.scale, Profiles: s.profiles}}
	for _, w := range workload.All() {
		if err := b.workload(ctx, w); err != nil {
			return b.explain(err)
		}
	}
	fmt.Fprintf(progress, "%v, Kubernetes %s\n", time.Since(began).Round(time.Second), server.Version)
	return nil
}

// build builds the programs under test as releases are built.
func build(ctx context.Context, root, dir string, programs []string) error {
	for _, name := range programs {
		cmd := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(root, "test", "bench"),
			"-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(dir, name), "./cmd/"+name)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return nil
}

type bench struct {
	settings *settings
	env      *workload.Env
	file     *report.File
	progress io.Writer
}

// turns is the order in which programs run in a round: another one begins in each pair of rounds, and the second
// round of a pair goes backwards, so that none always comes after the same other.
func turns(programs []string, round int) []string {
	first := round / 2 % len(programs)
	order := slices.Concat(programs[first:], programs[:first])
	if round%2 == 1 {
		slices.Reverse(order)
	}
	return order
}

func (b *bench) workload(ctx context.Context, w workload.Workload) error {
	if b.settings.only != "" && !slices.Contains(strings.Split(b.settings.only, ","), w.ID) {
		return nil
	}
	fmt.Fprintf(b.progress, "%s: %s\n", w.ID, w.Title)
	if err := w.Prepare(ctx, b.env); err != nil {
		return fmt.Errorf("%s: %w", w.ID, err)
	}
	rounds := b.settings.rounds
	if w.Once {
		rounds = 1
	}
	for round := range rounds {
		b.env.Round = round + 1
		if err := b.round(ctx, w, turns(b.settings.programs, round)); err != nil {
			return err
		}
	}
	return nil
}

// round runs programs, one after the other or, where the workload is made for it, together.
func (b *bench) round(ctx context.Context, w workload.Workload, programs []string) error {
	if w.RunTogether != nil {
		return b.run(w, programs, func(results []*report.Result) error { return w.RunTogether(ctx, b.env, results) })
	}
	for i, name := range programs {
		err := b.run(w, programs[i:i+1], func(results []*report.Result) error { return w.Run(ctx, b.env, name, results[0]) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) run(w workload.Workload, programs []string, run func([]*report.Result) error) error {
	began := time.Now()
	results := make([]*report.Result, len(programs))
	for i, name := range programs {
		results[i] = &report.Result{Time: began, Workload: w.ID, Program: name, Round: b.env.Round}
	}
	what := strings.Join(programs, ", ")
	if err := run(results); err != nil {
		return fmt.Errorf("%s, %s: %w", w.ID, what, err)
	}
	fmt.Fprintf(b.progress, "  round %d %-18s %v\n", b.env.Round, what, time.Since(began).Round(10*time.Millisecond))
	for _, r := range results {
		if w.ID == "W1" {
			r.Add("MB of the binary", b.size(r.Program))
		}
		if err := b.file.Write(*r); err != nil {
			return err
		}
	}
	return nil
}

// size is that of a program's binary, in MB.
func (b *bench) size(name string) float64 {
	info, err := os.Stat(filepath.Join(b.env.Programs, name))
	if err != nil {
		return 0
	}
	return float64(info.Size()) / 1e6
}

// explain adds the end of what each program logged.
func (b *bench) explain(err error) error {
	for _, name := range b.settings.programs {
		data, readErr := os.ReadFile(filepath.Join(b.env.Dir, name+".log"))
		if readErr != nil || len(data) == 0 {
			continue
		}
		err = fmt.Errorf("%w\nlog of %s:\n%s", err, name, data[max(0, len(data)-2000):])
	}
	return err
}
