// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/report"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/workload"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEachProgramPassesEachWorkload(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	results := filepath.Join(t.TempDir(), "results.jsonl")
	plots := filepath.Join(t.TempDir(), "plots")
	var progress, out bytes.Buffer
	s := &settings{rounds: 2, programs: slices.Concat(workload.Programs, workload.Variants), results: results, scale: workload.Tiny}
	if err := measure(t.Context(), s, &progress); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	if err := realMain(t.Context(), []string{"-table", "-results", results, "-plots", plots}, &out, &progress); err != nil {
		t.Fatal(err)
	}
	loaded, err := report.Load(results)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range workload.All() {
		for _, name := range s.programs {
			if !measured(loaded, w.ID, name) {
				t.Errorf("%s: nothing was measured of %s", w.ID, name)
			}
		}
		if !strings.Contains(out.String(), "**"+w.ID+": ") {
			t.Errorf("%s is not in the table", w.ID)
		}
	}
	for _, name := range []string{"cpu", "allocations", "latency", "handover", "churn"} {
		data, err := os.ReadFile(filepath.Join(plots, name+".svg"))
		if err != nil || !bytes.Contains(data, []byte("<svg")) {
			t.Errorf("no picture of %s: %v", name, err)
		}
	}
	if t.Failed() {
		t.Log(out.String())
	}
}

func TestProgramsTakeTurns(t *testing.T) {
	var got []string
	for round := range 4 {
		got = append(got, strings.Join(turns([]string{"a", "b", "c"}, round), ""))
	}
	if want := []string{"abc", "cba", "bca", "acb"}; !slices.Equal(got, want) {
		t.Errorf("turns are %v, want %v", got, want)
	}
}

func TestChosenPrograms(t *testing.T) {
	if got, err := chosen("page,bare"); err != nil || !slices.Equal(got, []string{"bare", "page"}) {
		t.Errorf("chosen are %v, %v, want bare first, which the others are compared with", got, err)
	}
	if _, err := chosen("bare,pages"); err == nil || !strings.Contains(err.Error(), `no program "pages"`) {
		t.Errorf("an unknown program: %v", err)
	}
}

func measured(results []report.Result, id, program string) bool {
	for _, r := range results {
		if r.Workload == id && r.Program == program && (len(r.Figures) > 0 || r.Missing != "") {
			return true
		}
	}
	return false
}
